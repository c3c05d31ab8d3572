"""Images larger than memory: Parquet files, here or at any address that fsspec knows, read one after the other.

A list in JSON names them, and is what DVC sees: it holds each file's hash, so that other bytes are refused.

    {"class_names": ["cat", "dog"],
     "train": [{"path": "s3://bucket/0.parquet", "rows": 100000, "sha256": "…"}, …], "test": […]}

A file has the columns `image`, binary, the height * width grey bytes of a picture, and `label`, int64, -1 if unknown.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.artifacts import on_disk
from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import ImagesParams
from stages.images.sources import FEWEST_IMAGES, UNKNOWN, numbered_samples


def shard_images(params: ImagesParams) -> tuple[pd.DataFrame, np.ndarray]:
    """The images of all files of the list `params.source`, in its order, in files of their own rather than in memory.

    Raises `InputError` for a list or file that is missing, damaged, or not what the list says.
    """
    place = Path(params.source)
    try:
        listed = json.loads(place.read_text(encoding="utf-8"))
        names = np.array(listed["class_names"], dtype=str)
        files = {
            split: [(s["path"], int(s["rows"]), s["sha256"]) for s in listed[split]] for split in ("train", "test")
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{place} is no list of shards ({error!r}): see docs/scaling.md") from None
    all_files = files["train"] + files["test"]
    images, labels = read_files(all_files, place.parent, params.pixels)
    counts = [sum(rows for _, rows, _ in files[split]) for split in ("train", "test")]
    if min(counts) < FEWEST_IMAGES or (labels < UNKNOWN).any() or (labels >= len(names)).any():
        raise InputError(
            f"{place} lists {counts[0]} training and {counts[1]} test images with labels up to {labels.max(initial=0)}; "
            f"needed are at least {FEWEST_IMAGES} of each, and labels below the {len(names)} class_names"
        )
    return numbered_samples(*counts, labels, list(names)), images


def read_files(files: list[tuple[str, int, str]], folder: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, size, size) and labels (n,) of all `files`, each given as path, rows and hash."""
    total = sum(rows for _, rows, _ in files)
    images, labels, start = on_disk((total, size, size), np.uint8), np.empty(total, np.int64), 0
    for path, rows, sha256 in progress(files, "reading shards", unit="shard"):
        path = path if "://" in path else str(folder / path)
        part = slice(start, start + rows)
        images[part], labels[part] = read_shard(path, sha256, rows, (size, size))
        start += rows
    return images, labels


def read_shard(path: str, sha256: str, rows: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """One file's images (rows, h, w) uint8 and labels (rows,) int64."""
    try:
        import fsspec
        import pyarrow.parquet
    except ImportError:
        raise InputError("images.source: shards need pyarrow: pip install 'fitmap[cluster]'") from None
    try:
        with fsspec.open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise InputError(f"shard {path} is missing: bring it back, or renew the list") from None
    except Exception as error:  # each storage fails in its own ways
        raise InputError(f"shard {path} cannot be read ({error})") from None
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise InputError(f"shard {path} has SHA-256 {found}, its list says {sha256}: renew the list, or bring it back")
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(content), columns=["image", "label"])
        pictures = b"".join(table["image"].to_pylist())
        images = np.frombuffer(pictures, np.uint8).reshape(rows, *shape)
        return images, table["label"].to_numpy().astype(np.int64)
    except Exception as error:
        raise InputError(f"shard {path} has no {rows} images of {shape[0]} x {shape[1]} bytes with labels ({error})")


def write_shard(path: str, images: np.ndarray, labels: np.ndarray) -> dict:
    """Write images (n, h, w) uint8 and labels (n,) as one file; returns its entry in the list."""
    import fsspec
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table({"image": pa.array([image.tobytes() for image in images], pa.binary()), "label": labels})
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    with fsspec.open(path, "wb") as file:
        file.write(buffer.getvalue())
    return {"path": path, "rows": len(images), "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}


def list_shards(train: str, test: str, class_names: list[str]) -> dict:
    """The list of the files that two patterns with * find."""
    import fsspec
    import pyarrow.parquet

    listed = {"class_names": class_names}
    for split, pattern in (("train", train), ("test", test)):
        listed[split] = []
        for file in sorted(fsspec.open_files(pattern, "rb"), key=lambda file: file.path):
            with file as opened:
                content = opened.read()
            rows = pyarrow.parquet.read_metadata(io.BytesIO(content)).num_rows
            path = file.fs.unstrip_protocol(file.path)
            listed[split].append({"path": path, "rows": rows, "sha256": hashlib.sha256(content).hexdigest()})
    return listed


if __name__ == "__main__":
    print(json.dumps(list_shards(*sys.argv[1:3], sys.argv[3:]), indent=1))
