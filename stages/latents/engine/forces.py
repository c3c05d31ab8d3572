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

ONE, ZERO = np.float32(1), np.float32(0)
LANES = 128  # points that are pushed together


@njit(parallel=True, cache=True)
def attraction(positions, starts, indices, affinities, forces):
    """`forces`_i = sum over j of p_ij w_ij (y_i - y_j), the affinities given as the parts of a CSR matrix."""
    axes, n = positions.shape
    solid = axes == 3
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for i in prange(n):
        fx = fy = fz = ZERO
        for at in range(starts[i], starts[i + 1]):
            j = indices[at]
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            dz = z[i] - z[j] if solid else ZERO
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
    solid = axes == 3
    x, y, z = positions[0], positions[1], positions[axes - 1]
    for block in prange((m + LANES - 1) // LANES):
        first = block * LANES
        last = min(first + LANES, m)
        px, py, pz = points[0, first:last], points[1, first:last], points[axes - 1, first:last]
        fx, fy, fz, total = np.zeros((4, LANES), np.float32)
        for j in range(len(x)):
            xj, yj, zj = x[j], y[j], z[j]
            for lane in range(last - first):
                dx = px[lane] - xj
                dy = py[lane] - yj
                dz = pz[lane] - zj if solid else ZERO
                w = ONE / (ONE + dx * dx + dy * dy + dz * dz)
                total[lane] += w
                w *= w
                fx[lane] += w * dx
                fy[lane] += w * dy
                if solid:
                    fz[lane] += w * dz
        forces[0, first:last], forces[1, first:last] = fx[: last - first], fy[: last - first]
        if solid:
            forces[2, first:last] = fz[: last - first]
        sums[first:last] = total[: last - first]


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
                total += p * (np.log(p) + np.log1p(distance))
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
