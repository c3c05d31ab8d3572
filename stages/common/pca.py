"""Principal components of images: the baseline that needs no training."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class PCA:
    """Principal components: their mean (d,) and directions (k, d), float32, those of largest variance first."""

    mean: np.ndarray
    directions: np.ndarray

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """The components (n, k) of rows (n, d)."""
        with threadpool_limits(1, "blas"):  # more threads would cut the sums in other places
            return (rows - self.mean) @ self.directions.T

    def inverse_transform(self, components: np.ndarray) -> np.ndarray:
        """The rows (n, d) that components (n, k) stand for."""
        with threadpool_limits(1, "blas"):
            return components @ self.directions + self.mean


def fit_pca(images: np.ndarray, components: int) -> PCA:
    """Principal components of images (n, h, w) uint8, as intensities 0 to 1; at most as many as the data allow."""
    flat = flatten(images)
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = flat - mean
    with threadpool_limits(1, "blas"):
        _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    count = min(components, *flat.shape)
    return PCA(mean, np.ascontiguousarray(directions[:, : -count - 1 : -1].T, dtype=np.float32))


def pca_mse(pca: PCA, images: np.ndarray) -> float:
    """Mean squared error of images (n, h, w) uint8 rebuilt from their principal components, intensities 0 to 1."""
    flat = flatten(images)
    return float(np.mean((pca.inverse_transform(pca.transform(flat)) - flat) ** 2, dtype=np.float64))


def flatten(images: np.ndarray) -> np.ndarray:
    """Images (n, h, w) uint8 as rows (n, h * w) float32 of intensities 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255
