"""Files from elsewhere that are wrong in every way we could think of: each is taken, or refused in one line.

Never a traceback, a warning, a hang, or more than 2 GB of memory: `Ending.refusal` sees to that.
"""

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save

from stages.autoencoder.training import arrays_of, new_network
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.curve.points import read_points
from tests.endings import Ending, ending_of, stage

with open("params.yaml") as file:
    VALUES = yaml.safe_load(file)


def run_stage(folder: Path, name: str, **changes: dict) -> Ending:
    """The ending of a stage in a folder of its own, with changed parameters."""
    values = {section: {**keys, **changes.get(section, {})} for section, keys in VALUES.items()}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    return ending_of(stage, name, folder=folder)


def check(ending: Ending, refusal: str | None, count) -> None:
    """The input is refused with a line that holds `refusal`, or taken if that is None."""
    count("bad inputs tried")
    assert (ending.refusal is None) == (refusal is None), ending.refusal
    assert refusal is None or refusal in ending.refusal, ending.refusal
    assert len(ending.refusal or "") < 1000


# CSV -----------------------------------------------------------------------------------------------------------------

ROWS = "".join(f"{i},{i * i}\n" for i in range(100))


def fill(path: Path, start: bytes, block: bytes, times: int) -> None:
    with path.open("wb") as file:
        file.write(start)
        for _ in range(times):
            file.write(block)


CSV = {  # content, or what writes it; what the refusal says
    "plain": ("x,y\n" + ROWS, None),
    "byte order mark": ("\ufeffx,y\n" + ROWS, None),
    "windows": (("x,y\n" + ROWS).replace("\n", "\r\n"), None),
    "old mac": (("x,y\n" + ROWS).replace("\n", "\r"), None),
    "quoted": ('"x","y"\n' + "".join(f'"{i}","{i}"\n' for i in range(100)), None),
    "exponents": ("x,y\n" + ROWS + "1e-3,-1E+5\n", None),
    "more columns": ("a,x,b,y\n" + "".join(f"é,{i},,{i}\n" for i in range(100)), None),
    "utf-16": (("x,y\n" + ROWS).encode("utf-16"), "UTF-8"),
    "latin": ("x,y,café\n".encode("latin-1") + ROWS.encode(), "UTF-8"),
    "semicolons": (("x,y\n" + ROWS).replace(",", ";"), "column `x`"),
    "tabs": (("x,y\n" + ROWS).replace(",", "\t"), "column `x`"),
    "decimal commas": ("x;y\n" + "".join(f"{i},5;{i},5\n" for i in range(99)), "points.csv"),
    "open quote": ('x,y\n1,"2\n' + ROWS, "points.csv"),
    "quote in a field": ('x,y\n1,2"3\n' + ROWS, "line 2, column y"),
    "line break in a field": ('x,y,z\n' + ROWS.replace("\n", ',"a\nb"\n'), None),
    "NUL": ("x,y\n1,\x002\n" + ROWS, "zero byte"),
    "ragged": ("x,y\n1,2,3\n" + ROWS, "points.csv"),
    "short rows": ("x,y\n1\n" + ROWS, "line 2, column y"),
    "empty": ("", "empty"),
    "line breaks only": ("\n" * 1000, "points.csv"),
    "header only": ("x,y\n", "0 points"),
    "no header": (ROWS, "column `x`"),
    "same name twice": ("x,y,x\n" + ROWS.replace("\n", ",1\n"), "column `x`"),
    "NaN": ("x,y\n" + ROWS + "nan,1\n", "line 102, column x"),
    "infinity": ("x,y\n" + ROWS + "1,-inf\n", "line 102, column y"),
    "huge number": ("x,y\n" + ROWS + "1e300,1\n", "beyond ±1e+100"),
    "beyond float": ("x,y\n" + ROWS + "1e999,1\n", "line 102, column x"),
    "long number": ("x,y\n" + ROWS + "9" * 5000 + ",1\n", "line 102, column x"),
    "hexadecimal": ("x,y\n" + ROWS + "0x1F,1\n", "line 102, column x"),
    "formula of a spreadsheet": ("x,y\n" + ROWS + "=1+1,1\n", "line 102, column x"),
    "arabic digits": ("x,y\n" + ROWS + "٣,1\n", "line 102, column x"),
    "one x": ("x,y\n" + "1,2\n" * 100, "every x is 1"),
    "noise": (bytes(np.random.default_rng(0).integers(1, 256, 10_000, dtype=np.uint8)), "points.csv"),
    "million columns": (lambda path: fill(path, b"x,y", b",c", 1_000_000), "line of more than 1,000,000 bytes"),
    "million fields": (lambda path: fill(path, b"x,y\n" + b"1" * 8, b",1", 1_000_000), "1,000,000 bytes"),
    "gigabyte field": (lambda path: os.truncate(path, 1) or fill(path, b"x,y\n1,", b"9" * 2**20, 1024), "1,000,000"),
    "gigabyte of NUL": (lambda path: path.touch() or os.truncate(path, 2**30), "zero byte"),
    "gigabyte of rows": (lambda path: fill(path, b"x,y\n", b"1,2\n" * 2**18, 1024), "more than 10,000,000 fields"),
    "gigabyte of line breaks": (lambda path: fill(path, b"x,y\n", b"\n" * 2**20, 1024), "10,000,000 fields"),
    "most fields": (lambda path: fill(path, b"x,y\n1,1\n", b"0.12345678901234,1.2345678901234\n" * 999, 5000), None),
}  # fmt: skip
GIGABYTE = ("gigabyte field", "gigabyte of NUL", "gigabyte of rows", "gigabyte of line breaks", "most fields")


def full(names, large):
    """The large ones only where the checks run at full size."""
    return [pytest.param(name, marks=pytest.mark.full) if name in large else name for name in names]


@pytest.mark.parametrize("name", full(CSV, GIGABYTE[:1] + GIGABYTE[2:]))
def test_points(tmp_path, name, count):
    content, refusal = CSV[name]
    path = tmp_path / "points.csv"
    path.touch()
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    check(run_stage(tmp_path, "generate_curve", curve={"source": "points.csv"}), refusal, count)
    path.unlink()


@pytest.mark.parametrize("source", ["a\0b", "n" * 5000, "/", ".", "/dev/zero", "pipe", "loop", "no/such/file", "🎈"])
def test_points_from_what_is_no_file(tmp_path, source, count):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, section in (("generate_curve", "curve"), ("extract_latents", "latents"), ("load_images", "images")):
        if (name, source) not in (("load_images", "/"), ("load_images", ".")):
            check(run_stage(tmp_path, name, **{section: {"source": source}}), "params.yaml", count)


@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.full)])
def test_any_table_is_taken_or_refused_in_one_line(tmp_path, examples, count):
    path = tmp_path / "points.csv"
    pieces = st.sampled_from(
        ["1", "2.5", ",", ",", "\n", "\n", '"', "\r", ";", " ", "nan", "-", "e", "x", "\ufeff", "\t", "\0"]
    )

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["x,y\n", "x,y\n" + ROWS, ""]),
        st.lists(pieces, max_size=30).map("".join) | st.binary(max_size=30),
    )
    def trial(start, end):
        path.write_bytes(start.encode() + (end if isinstance(end, bytes) else end.encode()))
        try:
            points = read_points(str(path))
        except InputError:
            return
        assert np.isfinite(points).all(axis=None)

    trial()
    count("bad inputs tried", examples)


# Images --------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, mode: str = "L", level: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), level if mode in ("L", "P") else None).save(out, "PNG", compress_level=1)
    return out.getvalue()


def png_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, whatever they say."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def header(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def tiff(mode: str) -> bytes:
    return saved(Image.new(mode, (8900, 8900)), "TIFF", compression="tiff_lzw")


GREY, RGBA = Image.new("L", (40, 30), 99), Image.new("RGBA", (40, 30), (9, 9, 200, 90))
ZEROS = zlib.compress(bytes(20_000_000))
IMAGES = {  # file name, content, whether it is taken
    "one pixel": ("a.png", lambda: png(1, 1), True),
    "a line": ("a.png", lambda: png(20_000, 1), True),
    "a column": ("a.png", lambda: png(1, 20_000), True),
    "20,000 a side": ("a.png", lambda: png(20_000, 20_000), False),
    "20,000 a side, two colours": ("a.png", lambda: saved(Image.new("1", (20_000, 20_000)), "PNG"), False),
    "80 million pixels, RGBA": ("a.png", lambda: png(8900, 8900, "RGBA"), True),
    "80 million pixels, 16 bits": ("a.png", lambda: saved(Image.new("I;16", (8900, 8900)), "PNG"), True),
    "80 million pixels, CMYK": ("a.tif", lambda: tiff("CMYK"), True),
    "80 million pixels, floats": ("a.tif", lambda: tiff("F"), True),
    "bomb of a header": ("a.png", lambda: png_chunks((b"IHDR", header(2**31 - 1, 2**31 - 1)), (b"IDAT", ZEROS)), False),
    "no pixels": ("a.png", lambda: png_chunks((b"IHDR", header(0, 0)), (b"IDAT", ZEROS)), False),
    "data too long": ("a.png", lambda: png_chunks((b"IHDR", header(9, 9)), (b"IDAT", ZEROS), (b"IEND", b"")), True),
    "text bomb": ("a.png", lambda: png_chunks((b"IHDR", header(9, 9)), *[(b"zTXt", b"k\0\0" + ZEROS)] * 9), False),
    "profile bomb": ("a.png", lambda: png_chunks((b"IHDR", header(9, 9)), (b"iCCP", b"k\0\0" + ZEROS)), False),
    "odd depth": ("a.png", lambda: png_chunks((b"IHDR", header(9, 9, 7, 9)), (b"IDAT", ZEROS)), False),
    "truncated PNG": ("a.png", lambda: png(200, 200)[:100], False),
    "truncated JPEG": ("a.jpg", lambda: saved(GREY.resize((400, 400)), "JPEG")[:400], False),
    "truncated GIF": ("a.gif", lambda: saved(GREY, "GIF")[:40], False),
    "truncated WebP": ("a.webp", lambda: saved(GREY, "WEBP")[:20], False),
    "truncated TIFF": ("a.tif", lambda: saved(GREY, "TIFF")[:100], False),
    "empty": ("a.png", lambda: b"", False),
    "text": ("a.png", lambda: b"hello", False),
    "SVG named .png": ("a.png", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', False),
    "HTML named .jpg": ("a.jpg", lambda: b"<html></html>", False),
    "PostScript named .png": ("a.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", False),
    "JPEG named .png": ("a.png", lambda: saved(GREY, "JPEG"), True),
    "CMYK": ("a.jpg", lambda: saved(Image.new("CMYK", (40, 30)), "JPEG"), True),
    "LAB": ("a.tif", lambda: saved(Image.new("LAB", (40, 30)), "TIFF"), False),
    "16 bits": ("a.png", lambda: saved(Image.fromarray(np.full((30, 40), 40_000, np.uint16)), "PNG"), True),
    "32 bits": ("a.tif", lambda: saved(Image.fromarray(np.full((30, 40), 2**31 - 1, np.int32)), "TIFF"), True),
    "floats": ("a.tif", lambda: saved(Image.fromarray(np.full((30, 40), np.nan, np.float32)), "TIFF"), True),
    "transparent palette": ("a.png", lambda: saved(RGBA.convert("P"), "PNG", transparency=bytes(99)), True),
    "animated GIF": ("a.gif", lambda: saved(GREY, "GIF", save_all=True, append_images=[GREY.rotate(9)] * 9), True),
    "animated WebP": ("a.webp", lambda: saved(RGBA, "WEBP", save_all=True, append_images=[RGBA.rotate(9)] * 9), True),
    "animated PNG": ("a.png", lambda: saved(RGBA, "PNG", save_all=True, append_images=[RGBA.rotate(9)] * 9), True),
    "turned by a wrong tag": ("a.jpg", lambda: saved(GREY, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"), True),
    "no UTF-8 in its name": (b"\xff\xfe.png".decode(errors="surrogateescape"), lambda: b"", False),
    "line break in its name": ("a\nb.png", lambda: b"", False),
}  # fmt: skip
HUGE = [name for name in IMAGES if "million" in name]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder with enough good images, of three kinds with awkward names."""
    folder = tmp_path_factory.mktemp("images")
    for i in range(60):
        kind = folder / "photos" / ("$x_{", "<b>&", b"\xff".decode(errors="surrogateescape"))[i % 3]
        kind.mkdir(parents=True, exist_ok=True)
        (kind / f"{i}.png").write_bytes(png(20 + i, 30, level=i))
    return folder


@pytest.mark.parametrize("name", full(IMAGES, HUGE[1:]))
def test_images(photographs, name, count):
    file_name, content, taken = IMAGES[name]
    path = photographs / "photos" / "<b>&" / file_name
    path.write_bytes(content())
    try:
        for broken in ("refuse", "skip"):
            images = {"source": "photos", "folder_broken": broken}
            check(
                run_stage(photographs, "load_images", images=images),
                None if taken or broken == "skip" else "<b>&",
                count,
            )
        with np.load(photographs / "data/images.npz") as arrays:
            assert len(arrays["train_images"]) + len(arrays["test_images"]) == 60 + taken
    finally:
        path.unlink()


def test_files_that_are_no_files(photographs, tmp_path, count):
    kind = photographs / "photos" / "<b>&"
    (tmp_path / "outside.png").write_bytes(png(9, 9))
    makers = {
        "loop.png": lambda path: path.symlink_to(path),
        "outside.png": lambda path: path.symlink_to(tmp_path / "outside.png"),
        "passwd.png": lambda path: path.symlink_to("/etc/passwd"),
        "zero.png": lambda path: path.symlink_to("/dev/zero"),
        "nowhere.png": lambda path: path.symlink_to("nowhere"),
        "pipe.png": lambda path: os.mkfifo(path),
        "sparse.webp": lambda path: path.write_bytes(b"RIFF\xff\xff\xff\x7fWEBPVP8 ") and os.truncate(path, 2**34),
    }
    for name, make in makers.items():
        make(kind / name)
        check(run_stage(photographs, "load_images", images={"source": "photos"}), name, count)
        (kind / name).unlink()


@pytest.mark.parametrize("files", [60, pytest.param(4_000, marks=pytest.mark.full)])
def test_spoilt_images_are_taken_or_refused(photographs, tmp_path, files, count):
    """Good files of each format with some of their bytes changed."""
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA", "JPEG2000", "AVIF")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    originals = [(kind, saved(picture, kind)) for kind in kinds]
    generator = np.random.default_rng(files)
    suffixes = {kind: suffix for suffix, kind in Image.registered_extensions().items()}
    for i in range(files):
        kind, content = originals[i % len(kinds)]
        content = bytearray(content)
        for at in generator.integers(0, min(len(content), 400), 3):
            content[at] = generator.integers(256)
        (tmp_path / f"spoilt/{i % 7}").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"spoilt/{i % 7}/{i}{suffixes[kind]}").write_bytes(content)
    for i in range(50):
        (tmp_path / f"spoilt/{i}.png").write_bytes(png(9, 9))
    ending = run_stage(tmp_path, "load_images", images={"source": "spoilt", "folder_broken": "skip"})
    assert ending.refusal is None
    count("bad inputs tried", files)


# Latents -------------------------------------------------------------------------------------------------------------

LATENTS = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)


def npz(compression: int = zipfile.ZIP_STORED, **entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=pickled)
    return out.getvalue()


def declared(shape: tuple, dtype: str = "<f4", content: bytes = b"") -> bytes:
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


class Code:
    def __reduce__(self):
        return os.mkdir, ("reached",)


NPZ = {
    "good": (lambda: npz(latents=npy(LATENTS)), None),
    "compressed": (lambda: npz(zipfile.ZIP_DEFLATED, latents=npy(LATENTS)), None),
    "labels that are numbers": (lambda: npz(latents=npy(LATENTS), labels=npy(np.arange(80) % 3)), None),
    "labels of odd text": (lambda: npz(latents=npy(LATENTS), labels=npy(np.array(["$x^{", "</script>"] * 40))), None),
    "labels with NaN": (lambda: npz(latents=npy(LATENTS), labels=npy(np.full(80, np.nan))), None),
    "labels that are times": (lambda: npz(latents=npy(LATENTS), labels=npy(np.zeros(80, "M8[s]"))), "labels are"),
    "labels that are records": (lambda: npz(latents=npy(LATENTS), labels=npy(np.zeros(80, "i4,f4"))), "labels are"),
    "labels in two columns": (lambda: npz(latents=npy(LATENTS), labels=npy(np.zeros((80, 2)))), "labels are"),
    "pickled code": (lambda: npz(latents=npy(np.array([Code()] * 80), pickled=True)), "pickled"),
    "pickled labels": (lambda: npz(latents=npy(LATENTS), labels=npy(np.array([Code()] * 80), True)), "pickled"),
    "an array, no archive": (lambda: npy(LATENTS), "own.npz"),
    "a pickle": (lambda: b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00", "own.npz"),
    "empty": (lambda: b"", "own.npz"),
    "empty archive": (lambda: npz(), "`latents`"),
    "truncated": (lambda: npz(latents=npy(LATENTS))[:900], "own.npz"),
    "truncated array": (lambda: npz(latents=npy(LATENTS)[:900]), "own.npz"),
    "flipped byte": (lambda: npz(latents=npy(LATENTS)).replace(LATENTS[:1].tobytes(), bytes(20)), "own.npz"),
    "huge shape": (lambda: npz(latents=declared((10**12, 5))), "own.npz"),
    "shape of 100 GB": (lambda: npz(latents=declared((5 * 10**9, 5))), "own.npz"),
    "shape of 8 GB": (lambda: npz(latents=declared((4 * 10**8, 5), content=bytes(1000))), "own.npz"),
    "shape beyond 64 bits": (lambda: npz(latents=declared((2**70, 5))), "own.npz"),
    "negative shape": (lambda: npz(latents=declared((-1, 5))), "own.npz"),
    "no numbers in shape": (lambda: npz(latents=declared(("a", 5))), "own.npz"),
    "long header": (lambda: npz(latents=b"\x93NUMPY\x02\0" + struct.pack("<I", 2**31) + b"{" * 10**6), "own.npz"),
    "no header": (lambda: npz(latents=b"hello"), "own.npz"),
    "zip bomb": (lambda: npz(zipfile.ZIP_DEFLATED, latents=declared((2**29, 2), "|u1", bytes(2**30))), "at most 500"),
    "bomb of labels": (lambda: npz(zipfile.ZIP_DEFLATED, latents=npy(LATENTS), labels=declared((80,), f"<U{10**6}",
                                   bytes(32 * 10**7))), None),
    "whole numbers": (lambda: npz(latents=npy((LATENTS * 99).astype(int))), None),
    "text": (lambda: npz(latents=npy(LATENTS.astype(str))), "numbers"),
    "complex": (lambda: npz(latents=npy(LATENTS.astype(complex))), "numbers"),
    "times": (lambda: npz(latents=npy(np.zeros((80, 5), "M8[s]"))), "numbers"),
    "booleans": (lambda: npz(latents=npy(LATENTS > 0)), "numbers"),
    "no rows": (lambda: npz(latents=npy(LATENTS[:0])), "0 latents"),
    "no columns": (lambda: npz(latents=npy(LATENTS[:, :0])), "d >= 2"),
    "three axes": (lambda: npz(latents=npy(LATENTS[None])), "(1, 80, 5)"),
    "NaN": (lambda: npz(latents=npy(np.where(LATENTS > 2, np.nan, LATENTS))), "no finite float32"),
    "infinite": (lambda: npz(latents=npy(np.where(LATENTS > 2, -np.inf, LATENTS))), "no finite float32"),
    "too large for float32": (lambda: npz(latents=npy(LATENTS.astype(float) * 1e200)), "no finite float32"),
    "images in colour": (lambda: npz(latents=npy(LATENTS), images=npy(np.zeros((80, 3, 4, 3), "u1"))), "images are"),
    "images of no size": (lambda: npz(latents=npy(LATENTS), images=npy(np.zeros((80, 0, 4), "u1"))), "images are"),
}  # fmt: skip


@pytest.mark.parametrize("name", full(NPZ, ["zip bomb", "bomb of labels"]))
def test_latents(tmp_path, name, count):
    content, refusal = NPZ[name]
    (tmp_path / "own.npz").write_bytes(content())
    check(run_stage(tmp_path, "extract_latents", latents={"source": "own.npz"}), refusal, count)
    assert not (tmp_path / "reached").exists(), "a pickle has run"


LATENTS_CSV = {
    "good": ("a,b\n" + ROWS, None),
    "labelled": ("a,b,label\n" + ROWS.replace("\n", ",é\n"), None),
    "semicolons": (("a,b\n" + ROWS).replace(",", ";"), "own.csv"),
    "utf-16": (("a,b\n" + ROWS).encode("utf-16"), "UTF-8"),
    "NUL": ("a,b\n" + ROWS + "\0,1\n", "zero byte"),
    "ragged": ("a,b\n" + ROWS + "1,2,3\n", "own.csv"),
    "gap": ("a,b\n" + ROWS + "1,\n", "no finite float32"),
    "one column": ("a\n" + "1\n" * 99, "own.csv"),
    "truth values": ("a,b\n" + "True,False\n" * 99, None),
    "mixed": ("a,b\n" + ROWS + "x,1\n", "column 'a'"),
    "only labels": ("label\n" + "a\n" * 99, "own.csv"),
    "open quote": ('a,b\n"' + ROWS, "own.csv"),
    "long numbers": ("a,b\n" + f"{'9' * 400},{'9' * 30}\n" * 99, "own.csv"),
    "million columns": ("a" + ",a" * 1_000_000, "1,000,000 bytes"),
}


@pytest.mark.parametrize("name", LATENTS_CSV)
def test_latents_in_a_table(tmp_path, name, count):
    content, refusal = LATENTS_CSV[name]
    (tmp_path / "own.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    check(run_stage(tmp_path, "extract_latents", latents={"source": "own.csv"}), refusal, count)


# Weights -------------------------------------------------------------------------------------------------------------


def weights(change=lambda arrays: arrays, **architecture) -> bytes:
    network = new_network((28, 28), load_params("autoencoder"))
    arrays = change(dict(arrays_of(network)))
    return save(arrays, {"architecture": json.dumps({**network.architecture, **architecture})})


def raw(header: bytes, length: int | None = None, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def with_first(change):
    """Weights of which the first array is changed."""
    return lambda arrays: {**arrays, "encoder.1.bias": change(arrays["encoder.1.bias"])}


WEIGHTS = {
    "good": (lambda: weights(), None),
    "truncated": (lambda: weights()[:-100], "autoencoder.safetensors"),
    "header only": (lambda: weights()[:20], "autoencoder.safetensors"),
    "empty": (lambda: b"", "autoencoder.safetensors"),
    "longer": (lambda: weights() + b"more", "autoencoder.safetensors"),
    "a pickle": (lambda: b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00", "autoencoder.safetensors"),
    "header of 2^63 bytes": (lambda: raw(b"{}", 2**63), "autoencoder.safetensors"),
    "header of a terabyte": (lambda: raw(b"{}", 2**40), "autoencoder.safetensors"),
    "no JSON": (lambda: raw(b"{{{{{{{{"), "autoencoder.safetensors"),
    "offsets beyond the file": (
        lambda: raw(b'{"a":{"dtype":"F32","shape":[99],"data_offsets":[0,396]}}', body=b"\0" * 8),
        "autoencoder.safetensors",
    ),
    "no architecture": (lambda: save({"a": LATENTS}), "autoencoder.safetensors"),
    "architecture that is no JSON": (lambda: save({"a": LATENTS}, {"architecture": "{"}), "autoencoder.safetensors"),
    "architecture that is a list": (lambda: save({"a": LATENTS}, {"architecture": "[]"}), "architecture"),
    "long architecture": (lambda: weights(hidden=[1] * 100_000), "autoencoder.safetensors"),
    "other shape": (lambda: weights(with_first(lambda bias: bias[:9])), "architecture"),
    "other dtype": (lambda: weights(with_first(lambda bias: bias.astype(np.float64))), "float64"),
    "half precision": (lambda: weights(with_first(lambda bias: bias.astype(np.float16))), "float16"),
    "NaN": (lambda: weights(with_first(lambda bias: bias * np.nan)), "not finite"),
    "infinite": (lambda: weights(with_first(lambda bias: bias + np.inf)), "not finite"),
    "one more": (lambda: weights(lambda arrays: {**arrays, "more": LATENTS}), "architecture"),
    "one less": (lambda: weights(lambda arrays: dict(list(arrays.items())[1:])), "architecture"),
    "other layers": (lambda: weights(hidden=[100, 50]), "architecture"),
    "huge layers": (lambda: weights(hidden=[100_000, 100_000]), "architecture"),
    "layers beyond 64 bits": (lambda: weights(hidden=[10**30]), "architecture"),
    "negative layers": (lambda: weights(hidden=[-1]), "architecture"),
    "layers of text": (lambda: weights(hidden=["a"]), "architecture"),
    "no layers": (lambda: weights(hidden=None), "architecture"),
    "other kind": (lambda: weights(kind="conv"), "architecture"),
    "no image": (lambda: weights(image_shape=[]), "architecture"),
    "huge image": (lambda: weights(image_shape=[10**9, 10**9]), "architecture"),
    "compression of 1": (lambda: weights(length_compression=1), "architecture"),
    "compression of text": (lambda: weights(length_compression="a"), "architecture"),
    "another image": (lambda: save(*other_size()), "28"),
}


def other_size() -> tuple[dict, dict]:
    network = new_network((10, 10), load_params("autoencoder"))
    return dict(arrays_of(network)), {"architecture": json.dumps(network.architecture)}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    assert run_stage(folder, "load_images", images={"drawn_train": 60, "drawn_test": 20}).refusal is None
    return folder


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(drawn, name, count):
    content, refusal = WEIGHTS[name]
    (drawn / "data/autoencoder.safetensors").write_bytes(content())
    check(run_stage(drawn, "extract_latents"), refusal, count)


# IDX -----------------------------------------------------------------------------------------------------------------


def idx(array: np.ndarray, magic: int | None = None, shape: tuple | None = None) -> bytes:
    magic = 0x0800 + array.ndim if magic is None else magic
    return struct.pack(f">{1 + array.ndim}I", magic, *(shape or array.shape)) + array.tobytes()


PICTURES, KINDS = np.zeros((60, 28, 28), np.uint8), np.arange(60, dtype=np.uint8) % 10
GOOD = {"train-images-idx3": idx(PICTURES), "train-labels-idx1": idx(KINDS),
        "t10k-images-idx3": idx(PICTURES), "t10k-labels-idx1": idx(KINDS)}  # fmt: skip
IDX = {
    "good": ({}, None),
    "wrong magic": ({"train-images-idx3": idx(PICTURES, magic=0x0901)}, "train-images-idx3"),
    "signed bytes": ({"train-images-idx3": idx(PICTURES, magic=0x0903)}, "train-images-idx3"),
    "floats": ({"train-images-idx3": idx(PICTURES, magic=0x0D03)}, "train-images-idx3"),
    "labels as images": ({"train-images-idx3": idx(KINDS)}, "train-images-idx3"),
    "images as labels": ({"t10k-labels-idx1": idx(PICTURES)}, "t10k-labels-idx1"),
    "count beyond the file": ({"t10k-images-idx3": idx(PICTURES, shape=(61, 28, 28))}, "t10k-images-idx3"),
    "huge count": ({"t10k-images-idx3": idx(PICTURES, shape=(2**32 - 1, 28, 28))}, "t10k-images-idx3"),
    "count below the file": ({"t10k-images-idx3": idx(PICTURES, shape=(59, 28, 28))}, "t10k-images-idx3"),
    "other size": ({"t10k-images-idx3": idx(PICTURES[:, :14])}, "t10k-images-idx3"),
    "huge size": ({"t10k-images-idx3": idx(PICTURES, shape=(60, 2**31, 2**31))}, "t10k-images-idx3"),
    "empty": ({"train-labels-idx1": b""}, "train-labels-idx1"),
    "half a header": ({"train-images-idx3": b"\0\0\x08\x03\0\0"}, "train-images-idx3"),
    "no images": ({"train-images-idx3": idx(PICTURES[:0]), "train-labels-idx1": idx(KINDS[:0])}, "0 images"),
    "fewer labels": ({"train-labels-idx1": idx(KINDS[:59])}, "59 labels"),
    "label 10": ({"train-labels-idx1": idx(KINDS + 1)}, "labels up to 10"),
    "gzip": ({"train-images-idx3": b"\x1f\x8b\x08" + bytes(99)}, "train-images-idx3"),
}


@pytest.mark.parametrize("name", IDX)
def test_idx_files(tmp_path, name, count):
    changes, refusal = IDX[name]
    raw = tmp_path / "mnist/FashionMNIST/raw"
    raw.mkdir(parents=True)
    for file_name, content in {**GOOD, **changes}.items():
        (raw / f"{file_name}-ubyte").write_bytes(content)
    images = {"source": "fashion-mnist", "root": "mnist"}
    check(run_stage(tmp_path, "load_images", images=images), refusal, count)
