"""Two maps of the same points: one laid over the other, and how many neighbours they share.

t-SNE's maps have no up, no left and no fixed size, so two of them can differ by a rotation alone. What can be compared
is what remains after the best rotation, reflection, scale and shift, and which points are neighbours.
"""

from dataclasses import dataclass

import numpy as np

from stages.scores.map import shared
from stages.tsne.neighbours import nearest_others


@dataclass(frozen=True)
class Similarity:
    """A map's positions (n, d) turned, scaled and moved. `disparity` is the share of the other map's spread that is
    left between the matched points: 0 where they fall on each other, near 1 where they have nothing in common."""

    centre: np.ndarray
    turn: np.ndarray
    target: np.ndarray
    disparity: float

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        return (positions - self.centre) @ self.turn + self.target


def procrustes(moved: np.ndarray, fixed: np.ndarray) -> Similarity:
    """The similarity that brings `moved` (n, d) nearest to `fixed` (n, d), row by row, in squared distance.

    Reflections are allowed: orthogonal Procrustes (Schönemann 1966, doi:10.1007/BF02289451), with a scale (Gower 1975).
    """
    moved, fixed = moved.astype(np.float64), fixed.astype(np.float64)
    centre, target = moved.mean(axis=0), fixed.mean(axis=0)
    moved, fixed = moved - centre, fixed - target
    left, strengths, right = np.linalg.svd(moved.T @ fixed)
    size, aim = np.square(moved).sum(), np.square(fixed).sum()
    scale = strengths.sum() / size if size else 0.0
    disparity = 1 - strengths.sum() ** 2 / (size * aim) if size and aim else 1.0
    return Similarity(centre, scale * left @ right, target, float(max(disparity, 0.0)))


def neighbours_kept(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """Share (n,) of each point's `k` nearest on the `first` map (n, d) that are so on the `second` (n, e), too; k < n.

    Between unrelated maps it is k / (n - 1) on average.
    """
    return shared(nearest_others(first, k), nearest_others(second, k))
