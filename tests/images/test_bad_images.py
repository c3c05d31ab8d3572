"""Image files that are wrong in every way we could think of: each is taken, or refused in one line."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.images.source_fashion_mnist import fashion_mnist_images
from stages.images.source_folder import folder_images

PARAMS = load_params("images").model_copy(update={"pixels": 28})


def read(folder, on_broken="refuse") -> int:
    """Return the number of images."""
    samples, _ = folder_images(PARAMS.model_copy(update={"source": str(folder), "on_broken": on_broken}))
    return len(samples)


def png(width: int, height: int, mode: str = "L", level: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), level if mode in ("L", "P") else None).save(out, "PNG", compress_level=1)
    return out.getvalue()


def png_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, whatever they say."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def saved(image: Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
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
    "LAB": ("a.tif", lambda: saved(Image.new("LAB", (40, 30)), "TIFF"), True),
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
HUGE = [name for name in IMAGES if "million" in name or "20,000 a side" in name]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder with enough good images, in three classes with awkward names."""
    folder = tmp_path_factory.mktemp("images") / "photos"
    for i in range(30):
        place = folder / ("$x_{", "<b>&", b"\xff".decode(errors="surrogateescape"))[i % 3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.png").write_bytes(png(20 + i, 30, level=i))
    return folder


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full) if name in HUGE else name for name in IMAGES]
)
def test_an_image_is_taken_or_refused_or_skipped(photographs, name):
    file_name, content, taken = IMAGES[name]
    path = photographs / "<b>&" / file_name
    path.write_bytes(content())
    try:
        if taken:
            assert read(photographs) == 31
        else:
            with pytest.raises(InputError, match="<b>&") as caught:
                read(photographs)
            assert len(str(caught.value)) < 1000
        assert read(photographs, on_broken="skip") == 30 + taken
    finally:
        path.unlink()


def test_files_that_are_no_files(photographs, tmp_path):
    place = photographs / "<b>&"
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
        make(place / name)
        with pytest.raises(InputError, match=name):
            read(photographs)
        (place / name).unlink()


@pytest.mark.parametrize("files", [60, pytest.param(4_000, marks=pytest.mark.full)])
def test_spoilt_images_are_taken_or_skipped(tmp_path, files):
    """Good files of each format with some of their bytes changed."""
    forms = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA", "JPEG2000", "AVIF")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    originals = [(form, saved(picture, form)) for form in forms]
    generator = np.random.default_rng(files)
    endings = {form: ending for ending, form in Image.registered_extensions().items()}
    for i in range(files):
        form, content = originals[i % len(forms)]
        content = bytearray(content)
        for at in generator.integers(0, min(len(content), 400), 3):
            content[at] = generator.integers(256)
        (tmp_path / f"{i}{endings[form]}").write_bytes(content)
    for i in range(20):
        (tmp_path / f"good-{i}.png").write_bytes(png(9, 9))
    assert 20 <= read(tmp_path, on_broken="skip") <= 20 + files


# Fashion-MNIST's IDX files


def idx(array: np.ndarray, magic: int | None = None, shape: tuple | None = None) -> bytes:
    magic = 0x0800 + array.ndim if magic is None else magic
    return struct.pack(f">{1 + array.ndim}I", magic, *(shape or array.shape)) + array.tobytes()


PICTURES, CLASSES = np.zeros((60, 28, 28), np.uint8), np.arange(60, dtype=np.uint8) % 10
GOOD = {"train-images-idx3": idx(PICTURES), "train-labels-idx1": idx(CLASSES),
        "t10k-images-idx3": idx(PICTURES), "t10k-labels-idx1": idx(CLASSES)}  # fmt: skip
IDX = {
    "good": ({}, None),
    "wrong magic": ({"train-images-idx3": idx(PICTURES, magic=0x0901)}, "train-images-idx3"),
    "signed bytes": ({"train-images-idx3": idx(PICTURES, magic=0x0903)}, "train-images-idx3"),
    "floats": ({"train-images-idx3": idx(PICTURES, magic=0x0D03)}, "train-images-idx3"),
    "labels as images": ({"train-images-idx3": idx(CLASSES)}, "train-images-idx3"),
    "images as labels": ({"t10k-labels-idx1": idx(PICTURES)}, "t10k-labels-idx1"),
    "count beyond the file": ({"t10k-images-idx3": idx(PICTURES, shape=(61, 28, 28))}, "t10k-images-idx3"),
    "huge count": ({"t10k-images-idx3": idx(PICTURES, shape=(2**32 - 1, 28, 28))}, "t10k-images-idx3"),
    "count below the file": ({"t10k-images-idx3": idx(PICTURES, shape=(59, 28, 28))}, "t10k-images-idx3"),
    "other size": ({"t10k-images-idx3": idx(PICTURES[:, :14])}, "t10k-images-idx3"),
    "huge size": ({"t10k-images-idx3": idx(PICTURES, shape=(60, 2**31, 2**31))}, "t10k-images-idx3"),
    "empty": ({"train-labels-idx1": b""}, "train-labels-idx1"),
    "half a header": ({"train-images-idx3": b"\0\0\x08\x03\0\0"}, "train-images-idx3"),
    "no images": ({"train-images-idx3": idx(PICTURES[:0]), "train-labels-idx1": idx(CLASSES[:0])}, "0 images"),
    "fewer labels": ({"train-labels-idx1": idx(CLASSES[:59])}, "59 labels"),
    "label 10": ({"train-labels-idx1": idx(CLASSES + 1)}, "labels up to 10"),
    "gzip": ({"train-images-idx3": b"\x1f\x8b\x08" + bytes(99)}, "train-images-idx3"),
}


@pytest.mark.parametrize("name", IDX)
def test_idx_files(tmp_path, name):
    changes, refusal = IDX[name]
    raw = tmp_path / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    for file_name, content in {**GOOD, **changes}.items():
        (raw / f"{file_name}-ubyte").write_bytes(content)
    if refusal is None:
        assert len(fashion_mnist_images(str(tmp_path))[0]) == 120
    else:
        with pytest.raises(InputError, match=refusal):
            fashion_mnist_images(str(tmp_path))
