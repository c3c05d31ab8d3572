"""The forces on the points of the map, and the divergence that they lower.

With w_ij = 1 / (1 + |y_i - y_j|²) and Z = sum_(i ≠ j) w_ij, the gradient of the Kullback-Leibler divergence is
    dC/dy_i = 4 (sum_j p_ij w_ij (y_i - y_j) - sum_j w_ij² (y_i - y_j) / Z)
(van der Maaten & Hinton 2008, equation 5; van der Maaten 2014): attraction to neighbours, repulsion from all points.

Positions and forces are float32 (2 | 3, n), one row for each axis. Every sum runs in one order, so maps do not depend
on the number of threads or the processor. Therefore no parallel kernel here may use `fastmath`: numba compiles the body
of a parallel loop once to run and once for its cache, and the two could order the sums differently.
"""

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

import stages.tsne.avx512  # noqa: F401

ONE, ZERO = np.float32(1), np.float32(0)
LANES = 128  # points in one block
UNROLL = 8  # positions whose repulsion is added before the sums go back to memory


@njit(parallel=True, cache=True)
def attraction(positions, starts, indices, affinities, forces):
    """Set `forces`_i = sum_j p_ij w_ij (y_i - y_j); the affinities are the parts of a CSR matrix."""
    axes, n = positions.shape
    solid = axes == 3
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for i in prange(n):
        xi, yi, zi = x[i], y[i], z[i]
        fx = fy = fz = ZERO
        for at in range(starts[i], starts[i + 1]):
            j = np.uint32(indices[at])  # unsigned: spares the check for negative indices
            dx = xi - x[j]
            dy = yi - y[j]
            dz = zi - z[j] if solid else ZERO
            weight = affinities[at] / (ONE + dx * dx + dy * dy + dz * dz)
            fx += weight * dx
            fy += weight * dy
            fz += weight * dz
        forces[0, i], forces[1, i] = fx, fy
        if solid:
            forces[2, i] = fz


def repulsion(positions: np.ndarray, forces: np.ndarray) -> float:
    """Set `forces`_i = sum_j w_ij² (y_i - y_j) from all pairs; return Z."""
    sums = np.empty(positions.shape[1], np.float32)
    repulsion_of(positions, positions, forces, sums)
    return float((sums - ONE).sum(dtype=np.float64))  # without w_ii = 1


@njit(parallel=True, error_model="numpy", cache=True)
def repulsion_of(points, positions, forces, sums):
    """Set `forces` (axes, m) = sum_j w_j² (y - y_j) and `sums` (m,) = sum_j w_j, float32, for each y of `points`
    (axes, m) over all y_j of `positions` (axes, n).

    One instruction handles many points and one position, so that each sum runs through the positions in order. The
    error model drops the check for division by zero, which would prevent vector instructions.
    """
    axes, m = points.shape
    n = positions.shape[1]
    solid, whole = axes == 3, n - n % UNROLL
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for block in prange((m + LANES - 1) // LANES):
        first = block * LANES
        last = min(first + LANES, m)
        px, py, pz = points[0, first:last], points[1, first:last], points[axes - 1, first:last]
        fx, fy = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        fz, total = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        for start in range(0, whole, UNROLL):
            for lane in range(last - first):
                state = fx[lane], fy[lane], fz[lane], total[lane]
                for j in range(start, start + UNROLL):
                    state = _add_pair(state, px[lane] - x[j], py[lane] - y[j], pz[lane] - z[j], solid)
                fx[lane], fy[lane], fz[lane], total[lane] = state
        for j in range(whole, n):
            for lane in range(last - first):
                state = fx[lane], fy[lane], fz[lane], total[lane]
                state = _add_pair(state, px[lane] - x[j], py[lane] - y[j], pz[lane] - z[j], solid)
                fx[lane], fy[lane], fz[lane], total[lane] = state
        for lane in range(last - first):
            forces[0, first + lane], forces[1, first + lane] = fx[lane], fy[lane]
            sums[first + lane] = total[lane]
            if solid:
                forces[2, first + lane] = fz[lane]


@njit(inline="always")
def _add_pair(state, dx, dy, dz, solid):
    """Return the force on a point and its sum of w after adding one position, (dx, dy, dz) away."""
    fx, fy, fz, total = state
    w = ONE / (ONE + dx * dx + dy * dy + (dz * dz if solid else ZERO))
    square = w * w
    return fx + square * dx, fy + square * dy, fz + square * dz if solid else fz, total + w


@njit(parallel=True, cache=True)
def _cross_entropies(positions, starts, indices, affinities, sums):
    axes, n = positions.shape
    for i in prange(n):
        total = 0.0
        for at in range(starts[i], starts[i + 1]):
            p = np.float64(affinities[at])
            distance = 0.0
            for axis in range(axes):
                distance += np.float64(positions[axis, i] - positions[axis, indices[at]]) ** 2
            if p > 0:
                total += p * np.log(p * (1 + distance))
        sums[i] = total


def divergence(positions: np.ndarray, affinities: csr_array, z: float | None = None) -> float:
    """Return KL(P || Q) = sum_ij p_ij (log p_ij - log w_ij) + log Z in nats, where q_ij = w_ij / Z.

    Sums are float64. Z is computed from all pairs if `z` is not given.
    """
    sums = np.empty(positions.shape[1])
    _cross_entropies(positions, affinities.indptr, affinities.indices, affinities.data, sums)
    if z is None:
        z = repulsion(positions, np.empty_like(positions))
    return float(sums.sum() + np.log(z))
