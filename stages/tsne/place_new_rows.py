"""Place new points on a finished map, which does not move. New points do not see each other.

Each new point y starts at the median of its nearest latents' positions and minimises
    C(y) = -a sum_j p_j log w_j + log Z,    w_j = 1 / (1 + |y - y_j|²),    Z = sum_j w_j,
the divergence of its own affinities p_j with an exaggeration a that holds it near its neighbours (Poličar, Stražar &
Zupan 2023). The gradient is dC/dy = 2 (a sum_j p_j w_j (y - y_j) - sum_j w_j² (y - y_j) / Z).

The attraction curves at most as much as a parabola of curvature 2 a sum_j p_j w_j that touches it. A step to the lowest
point of that parabola is about right, and is halved while it does not lower C.
"""

import numpy as np

from stages.tsne.affinities import affinities_to_map
from stages.tsne.forces import repulsion_of

PERPLEXITY = 5.0
NEIGHBOURS = 25  # whose median is the start
EXAGGERATION = 4  # chosen on training images of Fashion-MNIST: .799 beside their class, with 1.5 .797
MAX_STEPS = 100
MIN_STEP = 1e-3  # at which a point has converged; neighbours on a map are about 1 apart


def place_rows(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray) -> np.ndarray:
    """Return positions float32 (m, 2 | 3) of `new_latents` (m, d) on the map with `latents` (n, d) at `positions`."""
    k = min(NEIGHBOURS, len(latents))
    affinities, neighbours = affinities_to_map(latents, new_latents, PERPLEXITY, k)
    positions = np.ascontiguousarray(positions.T, dtype=np.float32)
    return np.ascontiguousarray(minimise(positions, neighbours, affinities).T, dtype=np.float32)


def minimise(positions: np.ndarray, neighbours: np.ndarray, affinities: np.ndarray) -> np.ndarray:
    """Return where m points minimise their C, float64 (axes, m), from the median of their `neighbours` (m, k)."""
    points = np.median(positions[:, neighbours], axis=2).astype(np.float64)
    cost, gradient, curvature = evaluate(points, positions, neighbours, affinities)
    step, moving = np.ones(len(neighbours)), np.arange(len(neighbours))
    for _ in range(MAX_STEPS):
        trial = points[:, moving] - step[moving] * gradient[:, moving] / curvature[moving]
        trial_cost, *slopes = evaluate(trial, positions, neighbours[moving], affinities[moving])
        converged = np.abs(trial - points[:, moving]).max(axis=0) < MIN_STEP
        lower = trial_cost < cost[moving]
        step[moving] = np.where(lower, np.minimum(2 * step[moving], 1), step[moving] / 2)
        down = moving[lower]
        points[:, down], cost[down] = trial[:, lower], trial_cost[lower]
        gradient[:, down], curvature[down] = slopes[0][:, lower], slopes[1][lower]
        moving = moving[~converged]
        if not len(moving):
            break
    return points


def evaluate(
    points: np.ndarray, positions: np.ndarray, neighbours: np.ndarray, affinities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return C, half its gradient (axes, m) and a sum_j p_j w_j at each of `points` (axes, m), float64."""
    repulsion, z = np.empty(points.shape, np.float32), np.empty(points.shape[1], np.float32)
    repulsion_of(np.ascontiguousarray(points, dtype=np.float32), positions, repulsion, z)
    differences = points[:, :, None] - positions[:, neighbours]
    w = 1 / (1 + (differences * differences).sum(axis=0))
    attraction = EXAGGERATION * affinities * w
    cost = np.log(z, dtype=np.float64) - (EXAGGERATION * affinities * np.log(w)).sum(axis=1)
    gradient = (attraction * differences).sum(axis=2) - repulsion / z.astype(np.float64)
    return cost, gradient, attraction.sum(axis=1)
