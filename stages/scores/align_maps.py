"""Compare two maps of the same points.

Rotation, reflection, scale and shift of a t-SNE map mean nothing. Two maps are compared by what is left after the best
alignment, and by the neighbours that they share.
"""

from dataclasses import dataclass

import numpy as np

from stages.scores.map_faithfulness import neighbourhoods


@dataclass(frozen=True)
class Similarity:
    """A rotation or reflection with a scale and a shift, to be called with positions (n, d).

    `disparity` is the share of the fixed map's variance left between matched points: 0 if they coincide, near 1 for
    unrelated maps.
    """

    centre: np.ndarray
    matrix: np.ndarray
    target: np.ndarray
    disparity: float

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        return (positions - self.centre) @ self.matrix + self.target


def procrustes(moved: np.ndarray, fixed: np.ndarray) -> Similarity:
    """Return the similarity that brings `moved` (n, d) nearest to `fixed` (n, d), row by row, in squared distance.

    Orthogonal Procrustes (Schönemann 1966, doi:10.1007/BF02289451) with a scale (Gower 1975).
    """
    moved, fixed = moved.astype(np.float64), fixed.astype(np.float64)
    centre, target = moved.mean(axis=0), fixed.mean(axis=0)
    moved, fixed = moved - centre, fixed - target
    left, singular, right = np.linalg.svd(moved.T @ fixed)
    moved_sum, fixed_sum = np.square(moved).sum(), np.square(fixed).sum()
    scale = singular.sum() / moved_sum if moved_sum else 0.0
    disparity = 1 - singular.sum() ** 2 / (moved_sum * fixed_sum) if moved_sum and fixed_sum else 1.0
    return Similarity(centre, scale * left @ right, target, float(max(disparity, 0.0)))


def neighbours_kept(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """Return the share (n,) of each point's `k` nearest on the `first` map (n, d) that are so on the `second` (n, e).

    k < n. Ties count as kept. Between unrelated maps the mean is k / (n - 1).
    """
    return neighbourhoods(first, second, k)[1]
