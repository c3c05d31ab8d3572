"""Files from elsewhere that are wrong in every way we could think of: each is taken, or refused in one line.

Never a traceback, a warning, a hang, or more than 2 GB of memory: `Ending.refusal` sees to that.
"""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from stages.autoencoder.training import arrays_of, new_network
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.curve.points import read_points
from tests.run_with_limits import Ending, ending_of, stage

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


LATENTS = np.zeros((80, 5), np.float32)

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
    assert run_stage(folder, "load_images", images={"train_samples": 60, "test_samples": 20}).refusal is None
    return folder


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(drawn, name, count):
    content, refusal = WEIGHTS[name]
    (drawn / "data/autoencoder.safetensors").write_bytes(content())
    check(run_stage(drawn, "extract_latents"), refusal, count)
