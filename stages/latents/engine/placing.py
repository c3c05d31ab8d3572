"""Placing new points on a finished map, which does not move; they do not see each other.

Each new point starts at the median of its nearest latents and lowers C(y) = -a sum over j of p_j log w_j + log Z with
w_j = 1 / (1 + |y - y_j|²) and Z = sum over j of w_j: the divergence of its own affinities, with those exaggerated a
little to hold it near its neighbours (Policar, Strazar & Zupan 2023). Its gradient is
2 (a sum over j of p_j w_j (y - y_j) - sum over j of w_j² (y - y_j) / Z).

The attraction never bends upwards more than the parabola of curvature 2 a sum over j of p_j w_j that touches it, so a
step to that parabola's lowest point, repulsion taken along, is about right; it is halved while it does not lower C.
"""

import numpy as np
from numba import njit, prange

from stages.latents.engine.affinities import affinities_to_map

PERPLEXITY = 5
NEIGHBOURS = 25  # whose median is the start
EXAGGERATION = 1.5
STEPS = 100  # at most
SHORTEST_STEP = 1e-3  # at which a point has arrived; neighbours on a map are about 1 apart
ONE, ZERO = np.float32(1), np.float32(0)


def place(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray) -> np.ndarray:
    """Positions float32 (m, 2 or 3) of `new_latents` (m, d) on the map that has `latents` (n, d) at `positions`."""
    k = min(NEIGHBOURS, len(latents))
    affinities, neighbours = affinities_to_map(latents, new_latents, PERPLEXITY, k)
    placed = np.ascontiguousarray(np.median(positions[neighbours], axis=1), dtype=np.float32)
    descend(np.ascontiguousarray(positions.T, dtype=np.float32), neighbours, affinities, placed)
    return placed


@njit(parallel=True, cache=True)
def descend(positions, neighbours, affinities, placed):
    """Move every row of `placed` (m, axes) down its C; `positions` (axes, n), the others (m, k)."""
    for i in prange(len(placed)):
        point = placed[i].astype(np.float64)
        cost, step, curvature = evaluate(point, positions, neighbours[i], affinities[i])
        share = 1.0
        for _ in range(STEPS):
            trial = point - share * step / curvature
            trial_cost, trial_step, trial_curvature = evaluate(trial, positions, neighbours[i], affinities[i])
            moved = np.abs(trial - point).max()
            if trial_cost < cost:
                point, cost, step, curvature = trial, trial_cost, trial_step, trial_curvature
                share = min(1.0, 2 * share)
            else:
                share /= 2
            if moved < SHORTEST_STEP:
                break
        placed[i] = point


@njit(cache=True)
def evaluate(point, positions, neighbours, affinities):
    """C at `point` (axes,), and half of its gradient there (axes,), and a sum over j of p_j w_j."""
    z, push = field(point, positions)
    cost, curvature = np.log(z), 0.0
    gradient = -push / z
    for a in range(len(neighbours)):
        difference = point - positions[:, neighbours[a]]
        w = 1 / (1 + (difference * difference).sum())
        pull = EXAGGERATION * affinities[a]
        cost -= pull * np.log(w)
        curvature += pull * w
        gradient += pull * w * difference
    return cost, gradient, curvature


@njit(fastmath=True, cache=True)
def field(point, positions):
    """Z = sum over j of w_j and sum over j of w_j² (y - y_j) at `point`, summed in stretches of float32."""
    axes, n = positions.shape
    solid = axes == 3
    x, y, z = positions[0], positions[1], positions[axes - 1]
    px, py, pz = np.float32(point[0]), np.float32(point[1]), np.float32(point[axes - 1])
    fx = fy = fz = total = ZERO
    for j in range(n):
        dx = px - x[j]
        dy = py - y[j]
        dz = pz - z[j] if solid else ZERO
        w = ONE / (ONE + dx * dx + dy * dy + dz * dz)
        total += w
        w *= w
        fx += w * dx
        fy += w * dy
        fz += w * dz
    push = np.empty(axes)
    push[0], push[1] = fx, fy
    if solid:
        push[2] = fz
    return np.float64(total), push
