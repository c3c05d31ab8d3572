"""How good the latents and the map are. Distances are taken in blocks of rows, so memory stays small."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from stages.latents.neighbours import nearest_others, ranks


def knn_accuracy(
    points: np.ndarray, labels: np.ndarray, new_points: np.ndarray, new_labels: np.ndarray, k: int
) -> float | None:
    """Share of `new_points` (m, d) whose class most of their `k` nearest `points` (n, d) share; Euclidean distances.

    Labels are int64, -1 where unknown; such points take no part. None if that leaves nothing to judge.
    """
    known, new_known = labels >= 0, new_labels >= 0
    if known.sum() < k or not new_known.any():
        return None
    classifier = KNeighborsClassifier(k, algorithm="brute").fit(points[known], labels[known])
    return float(classifier.score(new_points[new_known], new_labels[new_known]))


def trustworthiness(latents: np.ndarray, positions: np.ndarray, k: int) -> float:
    """Whether neighbours on the map are neighbours in latent space too: 1 at best, about 0.5 for a random map.

    1 - 2 / (n k (2n - 3k - 1)) * sum over i and its k map neighbours j of max(0, rank of j in latent space - k)
    (Venna & Kaski 2001). `latents` (n, d), `positions` (n, 2 or 3).
    """
    n = len(latents)
    excess = int(np.maximum(ranks(latents, nearest_others(positions, k)) - k, 0).sum())
    return 1 - excess * 2 / (n * k * (2 * n - 3 * k - 1))


def knn_recall(latents: np.ndarray, positions: np.ndarray, k: int) -> np.ndarray:
    """Share (n,) float64 of each point's `k` nearest latents that are among its `k` nearest on the map."""
    in_space, on_map = nearest_others(latents, k), nearest_others(positions, k)
    return (in_space[:, :, None] == on_map[:, None, :]).any(axis=2).mean(axis=1)


def fit_pca(images: np.ndarray, components: int) -> PCA:
    """Principal components of images (n, h, w) uint8, as intensities 0 to 1; at most as many as the data allow."""
    flat = flatten(images)
    return PCA(min(components, *flat.shape), svd_solver="covariance_eigh").fit(flat)


def pca_mse(pca: PCA, images: np.ndarray) -> float:
    """Mean squared error of images (n, h, w) uint8 rebuilt from their principal components, intensities 0 to 1."""
    flat = flatten(images)
    return float(np.mean((pca.inverse_transform(pca.transform(flat)) - flat) ** 2))


def flatten(images: np.ndarray) -> np.ndarray:
    """Images (n, h, w) uint8 as rows (n, h * w) float32 of intensities 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255
