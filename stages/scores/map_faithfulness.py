"""Scores of the latents and of the map. Distances are computed in blocks of rows, so memory stays small."""

import numpy as np

from stages.tsne.neighbours import nearest, nearest_others, ranks, squared_distances

MOST_TRAIN, MOST_TEST = 60_000, 10_000  # images that score the latents: as many as Fashion-MNIST has
TIE = 1 + 1e-6  # squared distances within this factor are equal: float32 rounds more


def knn_accuracy(
    points: np.ndarray, labels: np.ndarray, new_points: np.ndarray, new_labels: np.ndarray, k: int
) -> float | None:
    """Return the share of `new_points` (m, d) whose class wins the vote of their `k` nearest `points` (n, d).

    The first class wins a tie. Labels are int64, -1 where unknown; such points are left out. None if nothing is left,
    or all are of one class.
    """
    known, new_known = labels >= 0, new_labels >= 0
    if known.sum() < k or not new_known.any() or len({*labels[known].tolist(), *new_labels[new_known].tolist()}) < 2:
        return None
    _, neighbours = nearest(points[known], new_points[new_known], k)
    votes = np.zeros((len(neighbours), labels.max() + 1), np.int32)
    np.add.at(votes, (np.arange(len(votes))[:, None], labels[known][neighbours]), 1)
    return float((votes.argmax(axis=1) == new_labels[new_known]).mean())


def trustworthiness(latents: np.ndarray, positions: np.ndarray, k: int) -> float:
    """Score whether neighbours on the map are neighbours in latent space: 1 at best, about 0.5 for a random map.

    1 - 2 / (n k (2n - 3k - 1)) sum_i sum_j max(0, rank of j in latent space - k) over the k map neighbours j of each i
    (Venna & Kaski 2001), for `latents` (n, d) and `positions` (n, 2 | 3). k is lowered below n / 2 for few points.
    """
    n = len(latents)
    k = min(k, (n - 1) // 2)
    excess = int(np.maximum(ranks(latents, nearest_others(positions, k)) - k, 0).sum())
    return 1 - excess * 2 / (n * k * (2 * n - 3 * k - 1))


def knn_recall(latents: np.ndarray, positions: np.ndarray, k: int) -> np.ndarray:
    """Return the share (n,) float64 of each point's `k` nearest latents that are among its `k` nearest on the map.

    Ties count as found: of several latents at the distance of the k-th, any will do, and so on the map.
    """
    return neighbourhoods(latents, positions, k)[1]


def neighbourhoods(latents: np.ndarray, positions: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `k` nearest latents of each point, int32 (n, k), and the share (n,) that the map keeps near it.

    k is lowered to n - 1 for few points.
    """
    k = min(k, len(latents) - 1)
    in_space, on_map = nearest_others(latents, k), nearest_others(positions, k)
    kept = np.maximum(_share_within(latents, in_space, on_map), _share_within(positions, on_map, in_space))
    return in_space.astype(np.int32), kept


def _share_within(points: np.ndarray, nearest: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share (n,) of each point's `others` (n, k) no farther than the last of its `nearest` (n, k)."""
    limits = squared_distances(points, points, nearest[:, -1:])
    return (squared_distances(points, points, others) <= limits * TIE).mean(axis=1)


def factor_agreement(points: np.ndarray, labels: np.ndarray, factors: np.ndarray, k: int) -> np.ndarray:
    """Score how well neighbours of one class agree in each factor: 1 at best, 0 by chance.

    For each factor and class: 1 - (mean absolute difference to the `k` nearest points of the class) / (mean absolute
    difference between all its points). Classes are averaged, weighted by their number of points.

    Args:
        points: (n, d), latents or positions.
        labels: int (n,), -1 where unknown.
        factors: float (n, f), NaN where a factor does not apply.

    Returns:
        float64 (f,), NaN where a factor does not vary within any class of more than `k` points.
    """
    sums, counts = np.zeros((2, factors.shape[1]))
    for label in np.unique(labels[labels >= 0]):
        for factor in np.flatnonzero(np.isfinite(factors[labels == label]).any(axis=0)):
            rows = np.flatnonzero((labels == label) & np.isfinite(factors[:, factor]))
            values = factors[rows, factor].astype(np.float64)
            if len(rows) <= k or np.ptp(values) == 0:
                continue
            near = np.abs(values[nearest_others(points[rows], k)] - values[:, None]).mean()
            sums[factor] += len(rows) * (1 - near / mean_difference(values))
            counts[factor] += len(rows)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def mean_difference(values: np.ndarray) -> float:
    """Return the mean absolute difference between two different elements of `values` (n,)."""
    n = len(values)
    weights = 2 * np.arange(n) - n + 1  # of each in sorted order: times it is the larger minus times it is the smaller
    return float((np.sort(values) * weights).sum() * 2 / (n * (n - 1)))
