"""Images larger than memory: Parquet files, here or at any address that fsspec knows, read one after the other.

A JSON list names them with their hashes, so that DVC notices other bytes:

    {"class_names": ["cat", "dog"],
     "train": [{"path": "s3://bucket/0.parquet", "rows": 100000, "sha256": "…"}, …], "test": […]}

Each file has the columns `image`, binary, the pixels of a square image (grey, or RGB interleaved), and `label`, int64,
-1 if unknown. `python -m stages.images.source_shards 'TRAIN-*.parquet' 'TEST-*.parquet' CLASS …` prints a list.
"""

import hashlib
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.artifacts import on_disk
from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.samples_table import numbered_samples
from stages.common.settings import ImagesParams

FEWEST_IMAGES = 10


def shard_images(params: ImagesParams) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Read the images of all files of the list `params.source`, in its order, into a file rather than into memory.

    Returns the samples and the arrays of `data/images.npz`. Raises `InputError` for a list or file that is missing,
    damaged, or not what the list says.
    """
    path = Path(params.source)
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        classes = [str(name) for name in listed["class_names"]]
        splits = [[(str(s["path"]), int(s["rows"]), s["sha256"]) for s in listed[name]] for name in ("train", "test")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a list of shards ({error!r}): see docs/scaling.md") from None
    counts = [sum(rows for _, rows, _ in files) for files in splits]
    images, labels, start = None, np.empty(sum(counts), np.int64), 0
    for address, rows, sha256 in progress(splits[0] + splits[1], "reading shards", unit="shard"):
        part = slice(start, start + rows)
        address = address if "://" in address else str(path.parent / address)
        pixels, labels[part] = read_shard(address, sha256, rows, params.pixels)
        if images is None:
            images = on_disk((sum(counts), *pixels.shape[1:]), np.uint8)
        if pixels.shape[1:] != images.shape[1:]:
            raise InputError(f"shard {address} has images of {pixels.shape[1:]}, those before {images.shape[1:]}")
        images[part] = pixels
        start += rows
    if counts[0] < FEWEST_IMAGES or (labels < -1).any() or (labels >= len(classes)).any():
        raise InputError(
            f"{path} lists {counts[0]} training images with labels up to {labels.max(initial=0)}; needed are at least "
            f"{FEWEST_IMAGES}, and labels below the {len(classes)} class_names"
        )
    return numbered_samples(*counts, labels, classes), {"images": images}


def read_shard(address: str, sha256: str, rows: int, side: int | str) -> tuple[np.ndarray, np.ndarray]:
    """Return one file's images uint8 (rows, p, p[, 3]) and labels int64 (rows,); a `side` of `auto` takes any p."""
    import fsspec
    import pyarrow.parquet

    try:
        with fsspec.open(address, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise InputError(f"shard {address} is missing: bring it back, or renew the list") from None
    except Exception as error:  # each storage fails in its own ways
        raise InputError(f"shard {address} cannot be read ({error})") from None
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise InputError(
            f"shard {address} has SHA-256 {found}, its list says {sha256}: renew the list, or bring it back"
        )
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(content), columns=["image", "label"])
        pixels = np.frombuffer(b"".join(table["image"].to_pylist()), np.uint8)
        channels = next(c for c in (1, 3) if math.isqrt(pixels.size // rows // c) ** 2 * c * rows == pixels.size)
        p = math.isqrt(pixels.size // rows // channels)
        if side not in ("auto", p):
            raise ValueError(f"they are {p} x {p}, images.pixels is {side}")
        images = pixels.reshape(rows, p, p, channels)
        return images[..., 0] if channels == 1 else images, table["label"].to_numpy().astype(np.int64)
    except Exception as error:
        raise InputError(f"shard {address} does not hold {rows} square images with labels ({error})") from None


def write_shard(address: str, images: np.ndarray, labels: np.ndarray) -> dict:
    """Write images uint8 (n, p, p[, 3]) and labels (n,) as one file; returns its entry in the list."""
    import fsspec
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table({"image": pa.array([image.tobytes() for image in images], pa.binary()), "label": labels})
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    with fsspec.open(address, "wb") as file:
        file.write(buffer.getvalue())
    return {"path": address, "rows": len(images), "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}


def list_shards(train: str, test: str, class_names: list[str]) -> dict:
    """Return the list of the files that two patterns with * match."""
    import fsspec
    import pyarrow.parquet

    listed = {"class_names": class_names}
    for split, pattern in (("train", train), ("test", test)):
        listed[split] = []
        for file in sorted(fsspec.open_files(pattern, "rb"), key=lambda file: file.path):
            with file as opened:
                content = opened.read()
            rows = pyarrow.parquet.read_metadata(io.BytesIO(content)).num_rows
            address = file.fs.unstrip_protocol(file.path)
            listed[split].append({"path": address, "rows": rows, "sha256": hashlib.sha256(content).hexdigest()})
    return listed


if __name__ == "__main__":
    print(json.dumps(list_shards(*sys.argv[1:3], sys.argv[3:]), indent=1))
