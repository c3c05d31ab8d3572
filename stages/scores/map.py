"""How good the latents and the map are. Distances are taken in blocks of rows, so memory stays small."""

import numpy as np

from stages.tsne.neighbours import nearest, nearest_others, ranks

MOST_TRAIN, MOST_TEST = 60_000, 10_000  # images by which latents are scored: as many as Fashion-MNIST has


def knn_accuracy(
    points: np.ndarray, labels: np.ndarray, new_points: np.ndarray, new_labels: np.ndarray, k: int
) -> float | None:
    """Share of `new_points` (m, d) whose class most of their `k` nearest `points` (n, d) share; Euclidean distances.

    Of classes with as many votes, the first one counts. Labels are int64, -1 where unknown; such points take no part.
    None if that leaves nothing to judge.
    """
    known, new_known = labels >= 0, new_labels >= 0
    if known.sum() < k or not new_known.any():
        return None
    _, neighbours = nearest(points[known], new_points[new_known], k)
    votes = (labels[known][neighbours][:, :, None] == np.arange(labels.max() + 1)).sum(axis=1)
    return float((votes.argmax(axis=1) == new_labels[new_known]).mean())


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
    return shared(nearest_others(latents, k), nearest_others(positions, k))


def shared(in_space: np.ndarray, on_map: np.ndarray) -> np.ndarray:
    """Share (n,) float64 of the indices in each row of `in_space` (n, k) that its row of `on_map` (n, k) holds, too."""
    return (in_space[:, :, None] == on_map[:, None, :]).any(axis=2).mean(axis=1)


def neighbourhoods(latents: np.ndarray, positions: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` nearest latents of each point, int32 (n, k), and the share (n,) of them that the map keeps near it."""
    neighbours = nearest_others(latents, k)
    return neighbours.astype(np.int32), shared(neighbours, nearest_others(positions, k))


def factor_agreement(points: np.ndarray, labels: np.ndarray, factors: np.ndarray, k: int) -> np.ndarray:
    """How well neighbours of one class agree in what they were drawn from: 1 at best, 0 if no better than chance.

    For each factor and class, 1 - (mean absolute difference to the `k` nearest points of the class) / (that between
    all of its points); then the mean over classes, each weighed by its points.

    Args:
        points: (n, d), latents or positions; labels int (n,), -1 where unknown.
        factors: float (n, f), NaN where a factor does not apply.

    Returns:
        float64 (f,), NaN where a factor never varies within a class of more than `k` points.
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
    """Mean absolute difference between two different ones of `values` (n,)."""
    n = len(values)
    weights = 2 * np.arange(n) - n + 1  # how often each is the larger, less how often it is the smaller
    return float((np.sort(values) * weights).sum() * 2 / (n * (n - 1)))
