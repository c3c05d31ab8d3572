"""Tables of vectors that are wrong in every way we could think of: each is taken, or refused in one line."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.images.source_vectors import vector_samples

LATENTS = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
ROWS = "".join(f"{i},{i * i}\n" for i in range(100, 200))


def check(path, refusal):
    """The file is refused with a line that holds `refusal`, or taken if that is None."""
    params = load_params("latents").model_copy(update={"source": str(path)})
    if refusal is None:
        assert len(vector_samples(params, load_params("images"))[0]) >= 80
    else:
        with pytest.raises(InputError) as caught:
            vector_samples(params, load_params("images"))
        assert refusal in str(caught.value)
        assert len(str(caught.value)) < 1000


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
    "labels that are times": (lambda: npz(latents=npy(LATENTS), labels=npy(np.zeros(80, "M8[s]"))), None),
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
    "no rows": (lambda: npz(latents=npy(LATENTS[:0])), "0 vectors"),
    "two arrays": (lambda: npz(z=npy(LATENTS), w=npy(LATENTS)), "needs one array `latents`"),
    "few rows": (lambda: npz(latents=npy(LATENTS[:9])), "9 vectors, at least 10"),
    "a row with NaN": (lambda: npz(latents=npy(np.where(np.arange(80)[:, None] == 7, np.nan, LATENTS))), "is row 8"),
    "fewer labels": (lambda: npz(latents=npy(LATENTS), labels=npy(np.arange(9))), "labels are"),
    "images of floats": (lambda: npz(latents=npy(LATENTS), images=npy(np.zeros((80, 3, 4)))), "images are float64"),
    "no columns": (lambda: npz(latents=npy(LATENTS[:, :0])), "no columns of numbers"),
    "three axes": (lambda: npz(latents=npy(LATENTS[None])), "(1, 80, 5)"),
    "NaN": (lambda: npz(latents=npy(np.where(LATENTS > 2, np.nan, LATENTS))), "no finite float32"),
    "infinite": (lambda: npz(latents=npy(np.where(LATENTS > 2, -np.inf, LATENTS))), "no finite float32"),
    "too large for float32": (lambda: npz(latents=npy(LATENTS.astype(float) * 1e200)), "no finite float32"),
    "images in colour": (lambda: npz(latents=npy(LATENTS), images=npy(np.zeros((80, 3, 4, 3), "u1"))), None),
    "images of no size": (lambda: npz(latents=npy(LATENTS), images=npy(np.zeros((80, 0, 4), "u1"))), "images are"),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full) if "bomb" in name else name for name in NPZ]
)
def test_arrays(tmp_path, name, monkeypatch):
    content, refusal = NPZ[name]
    (tmp_path / "own.npz").write_bytes(content())
    check(tmp_path / "own.npz", refusal)
    assert not os.path.exists("reached"), "a pickle has run"


LATENTS_CSV = {
    "good": ("a,b\n" + ROWS, None),
    "labelled": ("a,b,label\n" + ROWS.replace("\n", ",é\n"), None),
    "semicolons": (("a,b\n" + ROWS).replace(",", ";"), None),
    "utf-16": (("a,b\n" + ROWS).encode("utf-16"), "UTF-8"),
    "NUL": ("a,b\n" + ROWS + "\0,1\n", "zero byte"),
    "ragged": ("a,b\n" + ROWS + "1,2,3\n", "own.csv"),
    "gap": ("a,b\n" + ROWS + "1,\n", "no finite float32"),
    "one column": ("a\n" + "1\n" * 99, "own.csv"),
    "truth values": ("a,b\n" + "True,False\n" * 99, "latents.columns"),
    "mixed": ("a,b\n" + ROWS + "x,1\n", "column 'a'"),
    "only labels": ("label\n" + "a\n" * 99, "own.csv"),
    "open quote": ('a,b\n"' + ROWS, "own.csv"),
    "long numbers": ("a,b\n" + f"{'9' * 400},{'9' * 30}\n" * 99, "own.csv"),
    "million columns": ("a" + ",a" * 1_000_000, "1,000,000 bytes"),
}


@pytest.mark.parametrize("name", LATENTS_CSV)
def test_tables(tmp_path, name):
    content, refusal = LATENTS_CSV[name]
    (tmp_path / "own.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    check(tmp_path / "own.csv", refusal)
