"""Placing new points on a finished map, which does not move; they do not see each other.

Each new point starts at the median of its nearest latents and lowers C(y) = -a sum over j of p_j log w_j + log Z with
w_j = 1 / (1 + |y - y_j|²) and Z = sum over j of w_j: the divergence of its own affinities, with those exaggerated a
little to hold it near its neighbours (Policar, Strazar & Zupan 2023). Its gradient is
2 (a sum over j of p_j w_j (y - y_j) - sum over j of w_j² (y - y_j) / Z).

The attraction never bends upwards more than the parabola of curvature 2 a sum over j of p_j w_j that touches it, so a
step to that parabola's lowest point, repulsion taken along, is about right; it is halved while it does not lower C.
"""

import numpy as np

from stages.tsne import forces
from stages.tsne.affinities import affinities_to_map

PERPLEXITY = 5.0
NEIGHBOURS = 25  # whose median is the start
EXAGGERATION = 1.5
STEPS = 100  # at most
SHORTEST_STEP = 1e-3  # at which a point has arrived; neighbours on a map are about 1 apart


def place(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray) -> np.ndarray:
    """Positions float32 (m, 2 or 3) of `new_latents` (m, d) on the map that has `latents` (n, d) at `positions`."""
    k = min(NEIGHBOURS, len(latents))
    affinities, neighbours = affinities_to_map(latents, new_latents, PERPLEXITY, k)
    positions = np.ascontiguousarray(positions.T, dtype=np.float32)
    return np.ascontiguousarray(descend(positions, neighbours, affinities).T, dtype=np.float32)


def descend(positions: np.ndarray, neighbours: np.ndarray, affinities: np.ndarray) -> np.ndarray:
    """Where each of m points has come, float64 (axes, m), down its C from the median of its `neighbours` (m, k)."""
    points = np.median(positions[:, neighbours], axis=2).astype(np.float64)
    cost, gradient, curvature = evaluate(points, positions, neighbours, affinities)
    share, moving = np.ones(len(neighbours)), np.arange(len(neighbours))
    for _ in range(STEPS):
        trial = points[:, moving] - share[moving] * gradient[:, moving] / curvature[moving]
        trial_cost, *slopes = evaluate(trial, positions, neighbours[moving], affinities[moving])
        arrived = np.abs(trial - points[:, moving]).max(axis=0) < SHORTEST_STEP
        lower = trial_cost < cost[moving]
        share[moving] = np.where(lower, np.minimum(2 * share[moving], 1), share[moving] / 2)
        down = moving[lower]
        points[:, down], cost[down] = trial[:, lower], trial_cost[lower]
        gradient[:, down], curvature[down] = slopes[0][:, lower], slopes[1][lower]
        moving = moving[~arrived]
        if not len(moving):
            break
    return points


def evaluate(
    points: np.ndarray, positions: np.ndarray, neighbours: np.ndarray, affinities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """C at each of `points` (axes, m), half of its gradient (axes, m), and a sum over j of p_j w_j; (m,) float64."""
    push, z = np.empty(points.shape, np.float32), np.empty(points.shape[1], np.float32)
    forces.push(np.ascontiguousarray(points, dtype=np.float32), positions, push, z)
    differences = points[:, :, None] - positions[:, neighbours]
    w = 1 / (1 + (differences * differences).sum(axis=0))
    pull = EXAGGERATION * affinities * w
    cost = np.log(z, dtype=np.float64) - (EXAGGERATION * affinities * np.log(w)).sum(axis=1)
    return cost, (pull * differences).sum(axis=2) - push / z.astype(np.float64), pull.sum(axis=1)
