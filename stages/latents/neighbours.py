"""Exact nearest neighbours by blocked matrix products."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

FARTHEST = 97  # percentile of the map's own distances to their neighbours: beyond it an image is off the map


def nearest(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` points nearest to each query: Euclidean distances and indices, both (queries, k), nearest first."""
    finder = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    return finder.kneighbors(queries)


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """Indices (n, k) of the `k` points nearest to each point, itself left out."""
    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors(return_distance=False)


def reach(latents: np.ndarray, neighbours: np.ndarray) -> float:
    """How far from its `neighbours` (n, k), on average over them, nearly every point of the map lies at most."""
    distances = np.linalg.norm(latents[neighbours] - latents[:, None], axis=2).mean(axis=1)
    return float(np.percentile(distances, FARTHEST))
