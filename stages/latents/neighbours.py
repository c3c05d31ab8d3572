"""Exact nearest neighbours by blocked matrix products."""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def nearest(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` points nearest to each query: Euclidean distances and indices, both (queries, k), nearest first."""
    finder = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    return finder.kneighbors(queries)


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """Indices (n, k) of the `k` points nearest to each point, itself left out."""
    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors(return_distance=False)
