"""The latents and all that belongs to them, row by row; from the autoencoder, or from the user's own file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.common.errors import InputError
from stages.common.input_checks import check_archive, check_table, is_file
from stages.common.settings import LatentsParams

FEWEST_LATENTS = 50


@dataclass(frozen=True)
class LatentSet:
    """One row for each training and each test image.

    `latents` (n, d) float32; `labels` (n,) int64, -1 where unknown; `images` and `reconstructions` (n, h, w) uint8
    and `errors` (n,) float32, the mean squared error of intensities 0 to 1: each with no rows where unknown;
    `factors` (n, f) float32, what a drawn garment was drawn from.
    """

    train_latents: np.ndarray
    test_latents: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    class_names: np.ndarray
    train_images: np.ndarray
    test_images: np.ndarray
    train_reconstructions: np.ndarray
    test_reconstructions: np.ndarray
    train_errors: np.ndarray
    test_errors: np.ndarray
    factor_names: np.ndarray
    train_factors: np.ndarray
    test_factors: np.ndarray


def read_latents(params: LatentsParams) -> LatentSet:
    """Latents from any other model, shuffled by the seed and split into those to map and those to place afterwards.

    A `.npz` holds `latents` (n, d), and may hold `labels` (n,) and `images` (n, h, w) uint8. A `.csv` has a column
    for each dimension, and may have a column `label`. Raises `InputError` that names the file and what is wrong.
    """
    path = Path(params.source)
    if not is_file(params.source) or path.suffix not in (".npz", ".csv"):
        raise InputError(f"params.yaml: latents.source = {params.source!r} is neither `autoencoder` nor a .npz or .csv")
    latents, labels, images = _read_csv(path) if path.suffix == ".csv" else _read_npz(path)
    latents = _checked_latents(latents, path)
    n = len(latents)
    names, labels = (np.array([], dtype=str), np.full(n, -1)) if labels is None else _numbered(labels, n, path)
    images = np.zeros((0, 1, 1), np.uint8) if images is None else _checked_images(images, n, path)

    order = np.random.default_rng(params.seed).permutation(n)
    test, train = np.split(order, [max(round(n * params.file_test_fraction), 1)])
    no_images, no_errors = np.zeros((0, 1, 1), np.uint8), np.zeros(0, np.float32)
    return LatentSet(
        train_latents=latents[train],
        test_latents=latents[test],
        train_labels=labels[train],
        test_labels=labels[test],
        class_names=names,
        train_images=images[train] if len(images) else no_images,
        test_images=images[test] if len(images) else no_images,
        train_reconstructions=no_images,
        test_reconstructions=no_images,
        train_errors=no_errors,
        test_errors=no_errors,
        factor_names=np.array([], dtype=str),
        train_factors=np.zeros((len(train), 0), np.float32),
        test_factors=np.zeros((len(test), 0), np.float32),
    )


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    check_archive(str(path))
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "latents" not in archive.files:
                raise InputError(f"{path} needs an array `latents` (n, d); found: {', '.join(archive.files[:8])}")
            arrays = [archive[name] if name in archive.files else None for name in ("latents", "labels", "images")]
            if not all(array is None or isinstance(array, np.ndarray) for array in arrays):
                raise ValueError("it holds what is no array")
            return tuple(arrays)
    except InputError:
        raise
    except Exception as error:  # a damaged zip fails in many ways
        raise InputError(f"{path} cannot be read as .npz without pickled objects ({error})") from None


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray | None, None]:
    check_table(str(path))
    import pandas as pd  # half a second, and only this source needs it

    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error}): save it with commas between columns") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first fields for names of rows
        raise InputError(f"{path} has rows with more fields than its first line")
    labels = table.pop("label").to_numpy() if "label" in table else None
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"{path}: column {str(name)[:40]!r} is no number; only a column `label` may hold text")
    return table.to_numpy(dtype=np.float64), labels, None


def _checked_latents(latents: np.ndarray, path: Path) -> np.ndarray:
    if latents.ndim != 2 or latents.shape[1] < 2 or latents.dtype.kind not in "fiu":
        raise InputError(f"{path}: latents are {latents.dtype} {latents.shape}, needed are numbers (n, d) with d >= 2")
    if len(latents) < FEWEST_LATENTS:
        raise InputError(f"{path} has {len(latents)} latents, at least {FEWEST_LATENTS} are needed")
    with np.errstate(over="ignore"):
        latents = latents.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(latents).all(axis=1))
    if bad.size:
        raise InputError(f"{path}: latent {bad[0]} (counted from 0) holds a value that is no finite float32")
    return latents


def _numbered(labels: np.ndarray, n: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    if labels.shape != (n,) or labels.dtype.kind not in "biufUSO":
        raise InputError(
            f"{path}: labels are {labels.dtype} {labels.shape}, needed is a name or number for each latent"
        )
    import pandas as pd

    unknown = pd.isna(labels)
    names, numbers = np.unique(labels[~unknown].astype(str), return_inverse=True)
    numbered = np.full(n, -1)
    numbered[~unknown] = numbers
    return names, numbered


def _checked_images(images: np.ndarray, n: int, path: Path) -> np.ndarray:
    if images.dtype != np.uint8 or images.ndim != 3 or len(images) != n or 0 in images.shape:
        raise InputError(f"{path}: images are {images.dtype} {images.shape}, needed are uint8 ({n}, height, width)")
    return images
