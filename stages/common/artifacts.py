"""Read and write what the stages hand to each other.

Every artifact is one file without pickles: CSV, JSON, `.npz`, safetensors, PNG, HTML. Each is written beside its place
and then renamed, so that a killed stage leaves the old artifact or none. The bytes depend on the content alone.
"""

import contextlib
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import safetensors
import safetensors.numpy

from stages.common.errors import InputError
from stages.common.input_checks import check_archive, is_file

SCRATCH = Path(".scratch")
ZIP64 = 1 << 31  # bytes of an array, from which its zip entry needs 64-bit sizes
MOST_IN_MEMORY = 1 << 28  # bytes of one array
LONGEST_ARCHITECTURE = 20_000  # characters; each layer it names is built


def _write(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` with a binary file that takes the place of `path` once it is complete."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")  # what a killed run left is written over
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}): check the folder and free disk space")
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _read(path: str, read: Callable[[], object]):
    """Return what `read` returns. Raises `InputError` for a missing or damaged artifact."""
    if not is_file(path):
        raise InputError(f"{path} is missing: `dvc repro` makes it, `dvc pull` fetches it")
    try:
        return read()
    except Exception as error:  # each format fails in its own ways; all of them mean the same to the user
        raise InputError(
            f"{path} is damaged ({type(error).__name__}: {error}): delete it and run `dvc repro`"
        ) from error


def write_csv(path: str, table: pd.DataFrame) -> None:
    """Write `table` without its index; floats as the shortest text that reads back to the same bits."""
    _write(path, lambda file: table.to_csv(file, index=False, lineterminator="\n"))


TEXT = ("file_name", "label", "kind", "why", "other_file_name", "suggestion", "medoid", "told_by")  # never numbers


def read_csv(path: str) -> pd.DataFrame:
    """Read what `write_csv` wrote, bit for bit; names such as `01` and `NA` stay text, an empty text is missing."""
    options = {"keep_default_na": False, "na_values": [""], "dtype": dict.fromkeys(TEXT, "str")}
    return _read(path, lambda: pd.read_csv(path, **options))


def write_parquet(path: str, table: pd.DataFrame) -> None:
    """Write `table` without its index as Parquet; types and categories are kept."""
    _write(path, lambda file: table.to_parquet(file, engine="pyarrow", index=False))


def read_parquet(path: str) -> pd.DataFrame:
    """Read a Parquet file."""
    return _read(path, lambda: pd.read_parquet(path, engine="pyarrow"))


def write_json(path: str, values: dict) -> None:
    """Write `values` as indented JSON in their own order; NaN and infinities are refused (use None)."""
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    _write(path, lambda file: file.write(text.encode()))


def read_json(path: str) -> dict:
    """Read a JSON object."""
    return _read(path, lambda: json.loads(Path(path).read_text(encoding="utf-8")))


def write_text(path: str, text: str) -> None:
    """Write `text` as UTF-8."""
    _write(path, lambda file: file.write(text.encode()))


def write_bytes(path: str, content: bytes) -> None:
    """Write `content` as it is."""
    _write(path, lambda file: file.write(content))


def write_arrays(path: str, **arrays: np.ndarray) -> None:
    """Write named arrays as an uncompressed `.npz`.

    NumPy's own `savez` forces 64-bit zip entries, whose bytes differ between versions of Python.
    """

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                array = np.asanyarray(array)
                entry = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, as every zip without a time
                entry.file_size = array.nbytes
                with archive.open(entry, "w", force_zip64=array.nbytes >= ZIP64) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    _write(path, write)


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Read a `.npz`; pickled objects in it are refused. Images beyond `MOST_IN_MEMORY` stay in the file until used."""

    def read() -> dict[str, np.ndarray]:
        check_archive(path, most=os.path.getsize(path))  # `write_arrays` packs nothing
        with np.load(path, allow_pickle=False) as archive:
            large = {entry.filename[:-4]: entry for entry in archive.zip.infolist() if entry.file_size > MOST_IN_MEMORY}
            mapped = {name: _mapped(path, archive.zip, entry) for name, entry in large.items()}
            arrays = {name: archive[name] if mapped.get(name) is None else mapped[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds what is no array")
        return arrays

    return _read(path, read)


def rows_of(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `array[rows]` for sorted rows (p,); the first p rows are not copied, which saves memory for images."""
    return array[: len(rows)] if len(rows) and rows[-1] == len(rows) - 1 else array[rows]


def on_disk(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Return an array that lies in a temporary file, deleted with it; memory holds as much as there is room for."""
    if 0 in shape:
        return np.empty(shape, dtype)
    SCRATCH.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=SCRATCH) as file:
        return np.asarray(np.memmap(file, dtype, "w+", shape=shape))


def _mapped(path: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray | None:
    """Map a uint8 array of an uncompressed archive into memory; return None for any other array."""
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran_order, dtype = read(member)
        header = member.tell()
        if dtype != np.uint8 or fortran_order or entry.compress_type != zipfile.ZIP_STORED:  # others must be aligned
            return None
        while member.read(1 << 20):
            pass  # the archive's checksum is compared at the end
    with open(path, "rb") as file:
        file.seek(entry.header_offset + 26)  # lengths of the name and of what follows it
        start = entry.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
    return np.asarray(np.memmap(path, dtype, "c", start + header, shape))


def write_weights(path: str, architecture: dict, state: dict[str, np.ndarray]) -> None:
    """Write a network's arrays as safetensors, its architecture in the file's metadata.

    All metadata goes into one JSON value: safetensors keeps several in no fixed order.
    """
    content = safetensors.numpy.save(state, metadata={"architecture": json.dumps(architecture)})
    write_bytes(path, content)


def read_architecture(path: str) -> dict:
    """Read the architecture alone, without the weights."""

    def read() -> dict:
        with safetensors.safe_open(path, framework="np") as file:
            text = file.metadata()["architecture"]
        if len(text) > LONGEST_ARCHITECTURE:
            raise ValueError(f"an architecture of {len(text):,} characters")
        return json.loads(text)

    return _read(path, read)


def read_weights(path: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Read the architecture and the arrays by name, as `write_weights` took them."""
    return read_architecture(path), _read(path, lambda: safetensors.numpy.load_file(path))
