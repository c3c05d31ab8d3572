"""Principal components in bounded memory, for images and vectors of any width.

Up to `EXACT_UP_TO` columns the covariance is decomposed exactly. Beyond, the leading directions come from randomised
subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4), seeded. Rows are read in blocks; BLAS runs on one
thread, so the result does not depend on the number of processors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

EXACT_UP_TO = 1000
BLOCK = 1 << 23  # values read at once
OVERSAMPLES, ITERATIONS = 10, 3


@dataclass(frozen=True)
class PCA:
    """The mean (d,) and the principal directions (k, d), float32, in order of falling variance."""

    mean: np.ndarray
    directions: np.ndarray

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Return the components float32 (n, k) of `rows` (n, ...), d values each, uint8 as intensities 0 to 1.

        Products are summed in float64, so that a row's result does not depend on the rows beside it.
        """
        directions = self.directions.T.astype(np.float64)
        with threadpool_limits(1, "blas"):
            parts = [(block @ directions).astype(np.float32) for block in _blocks(rows, self.mean.astype(np.float64))]
        return np.concatenate([np.empty((0, len(self.directions)), np.float32), *parts])

    def inverse_transform(self, components: np.ndarray) -> np.ndarray:
        """Return the rows float32 (n, d) that `components` (n, k) stand for."""
        with threadpool_limits(1, "blas"):
            return components @ self.directions + self.mean


def fit_pca(rows: np.ndarray, components: int, seed: int = 0) -> PCA:
    """Fit at most `components` principal components to `rows` (n, ...), uint8 as intensities 0 to 1."""
    n, d = len(rows), int(np.prod(rows.shape[1:]))
    count = min(components, n, d)
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in _blocks(rows)) / n
    with threadpool_limits(1, "blas"):
        if d <= EXACT_UP_TO:
            gram = sum(block.T @ block for block in _blocks(rows, mean))
            directions = np.linalg.eigh(gram)[1][:, : -count - 1 : -1]
        else:
            directions = _randomised_directions(rows, mean.astype(np.float32), count, seed)
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(count)]
    directions = np.where(largest < 0, -directions, directions)  # the decomposition leaves the signs open
    return PCA(mean.astype(np.float32), np.ascontiguousarray(directions.T, dtype=np.float32))


def _randomised_directions(rows: np.ndarray, mean: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the first directions (d, count) float32, nearly."""
    width = min(count + OVERSAMPLES, *rows.reshape(len(rows), -1).shape)
    basis = np.random.default_rng(seed).standard_normal((len(mean), width), np.float32)
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(sum(block.T @ (block @ basis) for block in _blocks(rows, mean)))[0]
    gram = sum(components.T @ components for components in (block @ basis for block in _blocks(rows, mean)))
    return basis @ np.linalg.eigh(gram)[1][:, : -count - 1 : -1]


def _blocks(rows: np.ndarray, mean: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Yield `rows` in blocks (m, d), less `mean` if it is given, in its type."""
    step = max(1, BLOCK // max(1, int(np.prod(rows.shape[1:]))))
    for start in range(0, len(rows), step):
        block = flatten(rows[start : start + step])
        yield block if mean is None else block - mean


def pca_mse(pca: PCA, images: np.ndarray) -> float:
    """Return the mean squared error of images (n, ...) rebuilt from their principal components."""
    total = sum(
        np.square(pca.inverse_transform(pca.transform(block)) - block).sum(dtype=np.float64)
        for block in _blocks(images)
    )
    return float(total / images.size)


def flatten(images: np.ndarray) -> np.ndarray:
    """Return images (n, ...) as rows float32 (n, d), uint8 as intensities 0 to 1."""
    rows = images.reshape(len(images), -1)
    return rows.astype(np.float32) / 255 if rows.dtype == np.uint8 else rows.astype(np.float32, copy=False)
