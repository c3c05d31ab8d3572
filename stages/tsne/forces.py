"""What moves the points of the map: attraction to their neighbours, repulsion from all, and the divergence they lower.

With w_ij = 1 / (1 + |y_i - y_j|²) and Z = sum over i != j of w_ij, the gradient of t-SNE's Kullback-Leibler divergence
is dC/dy_i = 4 (sum over j of p_ij w_ij (y_i - y_j) - sum over j of w_ij² (y_i - y_j) / Z)
(van der Maaten & Hinton 2008, equation 5; van der Maaten 2014). Positions and forces are float32 (2 or 3, n), a row for
each axis. One row of pairs is one thread's work and is always summed in the same order: no kernel here may reorder its
sums (`fastmath`), since numba compiles the body of a parallel loop once to run it and once more for its cache, and the
two would cut the sums differently, as would processors of other widths.
"""

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

import stages.tsne.avx512  # noqa: F401

ONE, ZERO = np.float32(1), np.float32(0)
LANES = 128  # points that are pushed together
AT_ONCE = 8  # positions that push them before their sums go back to memory


@njit(parallel=True, cache=True)
def attraction(positions, starts, indices, affinities, forces):
    """`forces`_i = sum over j of p_ij w_ij (y_i - y_j), the affinities given as the parts of a CSR matrix."""
    axes, n = positions.shape
    solid = axes == 3
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for i in prange(n):
        xi, yi, zi = x[i], y[i], z[i]
        fx = fy = fz = ZERO
        for at in range(starts[i], starts[i + 1]):
            j = np.uint32(indices[at])  # spares what a negative index would mean
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
    """Set `forces`_i = sum over j of w_ij² (y_i - y_j), from all pairs; return Z."""
    sums = np.empty(positions.shape[1], np.float32)
    push(positions, positions, forces, sums)
    return float((sums - ONE).sum(dtype=np.float64))  # without each point's own


@njit(parallel=True, error_model="numpy", cache=True)
def push(points, positions, forces, sums):
    """Set `forces` (axes, m) to the sum over j of w_j² (y - y_j), and `sums` (m,) to that of w_j, for each of `points`
    y (axes, m) and all `positions` y_j (axes, n), float32.

    Each instruction takes many points and one position, so that every point's sum runs through the positions in their
    order. The error model spares a check for division by zero, with which no instruction could take more than one.
    """
    axes, m = points.shape
    n = positions.shape[1]
    solid, whole = axes == 3, n - n % AT_ONCE
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for block in prange((m + LANES - 1) // LANES):
        first = block * LANES
        last = min(first + LANES, m)
        px, py, pz = points[0, first:last], points[1, first:last], points[axes - 1, first:last]
        fx, fy = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        fz, total = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        for start in range(0, whole, AT_ONCE):
            for lane in range(last - first):
                state = fx[lane], fy[lane], fz[lane], total[lane]
                for j in range(start, start + AT_ONCE):
                    state = _pushed(state, px[lane] - x[j], py[lane] - y[j], pz[lane] - z[j], solid)
                fx[lane], fy[lane], fz[lane], total[lane] = state
        for j in range(whole, n):
            for lane in range(last - first):
                state = fx[lane], fy[lane], fz[lane], total[lane]
                state = _pushed(state, px[lane] - x[j], py[lane] - y[j], pz[lane] - z[j], solid)
                fx[lane], fy[lane], fz[lane], total[lane] = state
        for lane in range(last - first):
            forces[0, first + lane], forces[1, first + lane] = fx[lane], fy[lane]
            sums[first + lane] = total[lane]
            if solid:
                forces[2, first + lane] = fz[lane]


@njit(inline="always")
def _pushed(state, dx, dy, dz, solid):
    """The force on a point and its sum of w, with those from one more position, (dx, dy, dz) away."""
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
    """KL(P || Q) in nats, q_ij = w_ij / Z: sum over i, j of p_ij (log p_ij - log w_ij) + log Z.

    Summed in float64; `z` is taken from all pairs if it is not given.
    """
    sums = np.empty(positions.shape[1])
    _cross_entropies(positions, affinities.indptr, affinities.indices, affinities.data, sums)
    if z is None:
        z = repulsion(positions, np.empty_like(positions))
    return float(sums.sum() + np.log(z))
