"""Input affinities p_ij: how strongly each latent counts another as its neighbour (van der Maaten & Hinton 2008)."""

import os

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

import stages.tsne.avx512  # noqa: F401
from stages.tsne.neighbours import nearest, nearest_others, squared_distances

NEIGHBOURS = 3  # times the perplexity; the Gaussian leaves almost nothing beyond (van der Maaten 2014)
ENTROPY_TOLERANCE = 1e-8  # nats
BISECTIONS = 100

# Idle kernel threads sleep instead of spinning, which is ten times as slow on a busy machine. Numba reads this when the
# first kernel starts.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def joint_affinities(latents: np.ndarray, perplexity: float) -> csr_array:
    """Return p_ij = (p_j|i + p_i|j) / 2n for `latents` (n, d): symmetric float32 (n, n), sorted rows, sum one."""
    n = len(latents)
    neighbours = nearest_others(latents, neighbour_count(perplexity, n - 1))
    conditional = conditional_affinities(squared_distances(latents, latents, neighbours), perplexity)
    starts = np.arange(0, neighbours.size + 1, neighbours.shape[1], dtype=np.int32)
    one_sided = csr_array((conditional.ravel(), neighbours.ravel().astype(np.int32), starts), shape=(n, n))
    joint = (one_sided + one_sided.T).tocsr()
    joint.sort_indices()
    joint.data /= joint.data.sum(dtype=np.float64)
    return joint.astype(np.float32)


def affinities_to_map(
    latents: np.ndarray, new_latents: np.ndarray, perplexity: float, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return p_j|i float32 (m, k) from `new_latents` (m, d) to their `k` nearest `latents` (n, d), and their indices.

    Neighbours beyond three times the perplexity have affinity zero.
    """
    _, neighbours = nearest(latents, new_latents, k)
    few = np.ascontiguousarray(neighbours[:, : neighbour_count(perplexity, len(latents))])
    affinities = np.zeros(neighbours.shape, np.float32)
    affinities[:, : few.shape[1]] = conditional_affinities(squared_distances(latents, new_latents, few), perplexity)
    return affinities, neighbours


def neighbour_count(perplexity: float, most: int) -> int:
    """Return the number of neighbours with an affinity, at most `most`."""
    return max(1, min(int(NEIGHBOURS * perplexity), most))


@njit(parallel=True, cache=True)
def conditional_affinities(distances, perplexity):
    """Return p_j|i = exp(-b_i d²_ij) / sum_l exp(-b_i d²_il), float32 (m, k), for squared distances (m, k).

    Bisection finds the b_i with which the entropy of the row is log(perplexity), or the nearest possible one (as for
    equal distances).
    """
    n, k = distances.shape
    affinities = np.empty((n, k), np.float32)
    for i in prange(n):  # plain loops: array arithmetic takes numba seconds to compile
        least, mean = np.inf, 0.0
        for a in range(k):
            least = min(least, distances[i, a])
        for a in range(k):
            mean += (distances[i, a] - least) / k
        row, weights = np.empty(k), np.empty(k)
        for a in range(k):  # less the smallest distance, a common factor that prevents underflow
            row[a] = (distances[i, a] - least) / (mean if mean > 0 else 1.0)
        low, high, b, total = 0.0, np.inf, 1.0, 0.0
        for _ in range(BISECTIONS):
            total = spread = 0.0
            for a in range(k):
                weights[a] = np.exp(-b * row[a])
                total += weights[a]
                spread += weights[a] * row[a]
            excess = np.log(total) + b * spread / total - np.log(perplexity)
            if abs(excess) < ENTROPY_TOLERANCE:
                break
            if excess > 0:
                low = b
                b = 2 * b if high == np.inf else (low + high) / 2
            else:
                high = b
                b = (low + high) / 2
        for a in range(k):
            affinities[i, a] = weights[a] / total
    return affinities
