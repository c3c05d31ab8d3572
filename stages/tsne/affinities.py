"""Input affinities: how much each latent counts another as its neighbour (van der Maaten & Hinton 2008, section 2)."""

import os

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

import stages.tsne.avx512  # noqa: F401
from stages.tsne.neighbours import nearest, nearest_others

NEIGHBOURS = 3  # times the perplexity; the Gaussian leaves next to nothing to those beyond (van der Maaten 2014)
ENTROPY_TOLERANCE = 1e-8  # nats
BISECTIONS = 100

# Threads that wait for the next kernel sleep: on a busy machine spinning costs tenfold. It is read when the first
# kernel starts its threads, which is one of those below for every map and every placing.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def joint_affinities(latents: np.ndarray, perplexity: float) -> csr_array:
    """p_ij = (p_j|i + p_i|j) / 2n for `latents` (n, d): symmetric, float32 (n, n), rows sorted; it sums to one."""
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
    """p_j|i float32 (m, k) of `new_latents` (m, d) towards their nearest `latents` (n, d), and those's indices (m, k).

    Those beyond three times the perplexity have none.
    """
    _, neighbours = nearest(latents, new_latents, k)
    few = np.ascontiguousarray(neighbours[:, : neighbour_count(perplexity, len(latents))])
    affinities = np.zeros(neighbours.shape, np.float32)
    affinities[:, : few.shape[1]] = conditional_affinities(squared_distances(latents, new_latents, few), perplexity)
    return affinities, neighbours


def neighbour_count(perplexity: float, most: int) -> int:
    return max(1, min(int(NEIGHBOURS * perplexity), most))


@njit(parallel=True, cache=True)
def squared_distances(points, queries, neighbours):
    """|q_i - p_j|² float64 (m, k) for the points j = `neighbours` (m, k) of each query i."""
    distances = np.empty(neighbours.shape)
    for i in prange(len(neighbours)):
        for a in range(neighbours.shape[1]):
            total = 0.0
            for axis in range(points.shape[1]):
                difference = np.float64(queries[i, axis]) - np.float64(points[neighbours[i, a], axis])
                total += difference * difference
            distances[i, a] = total
    return distances


@njit(parallel=True, cache=True)
def conditional_affinities(distances, perplexity):
    """p_j|i = exp(-b_i d²_ij) / sum over l of exp(-b_i d²_il), float32 (m, k) for squared distances (m, k).

    b_i is found by bisection so that the entropy of the row is log(perplexity). A row that cannot have it (as when
    all its distances are equal) takes the nearest it can.
    """
    n, k = distances.shape
    affinities = np.empty((n, k), np.float32)
    for i in prange(n):  # plain loops: numba takes seconds to compile an array's arithmetic
        least, mean = np.inf, 0.0
        for a in range(k):
            least = min(least, distances[i, a])
        for a in range(k):
            mean += (distances[i, a] - least) / k
        row, weights = np.empty(k), np.empty(k)
        for a in range(k):  # less the nearest, an equal factor in all, which keeps the first from underflowing
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
