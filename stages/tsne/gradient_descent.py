"""Gradient descent on the positions of the map.

The start is the first principal components (Kobak & Berens 2019). The learning rate is n / exaggeration during early
exaggeration and n afterwards (Belkina et al. 2019), the momentum 0.8, and each coordinate has a gain (Jacobs 1988).
"""

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

import stages.tsne.avx512  # noqa: F401
from stages.common.pca import fit_pca
from stages.common.progress import progress
from stages.common.settings import TsneParams
from stages.tsne import forces
from stages.tsne.grid_repulsion import Grid

EARLY_ITERATIONS = 250  # with exaggerated attraction, before the `iterations` of the settings
EXAGGERATION = 12  # factor on the attraction
MOMENTUM = np.float32(0.8)
GAIN_STEP, GAIN_DECAY, MIN_GAIN = np.float32(0.2), np.float32(0.8), np.float32(0.01)
MAX_STEP = np.float32(5)
START_STD = 1e-4  # of the first axis; so close together, points move where the affinities pull them
JITTER = 0.01  # noise on the start, as a fraction of START_STD; it separates identical latents
ALL_PAIRS_UP_TO = 6_000  # points, in 2-D; above, the grid is faster and nearly exact
FINE_GRID_ITERATIONS = 150  # the last iterations use the grid's finer spacing
SHOW_EVERY = 125  # iterations between two updates of the KL divergence in the progress bar


def descend(start: np.ndarray, affinities: csr_array, params: TsneParams) -> np.ndarray:
    """Minimise the KL divergence from `start` float32 (2 | 3, n); return the final positions, of the same shape."""
    axes, n = start.shape
    positions, velocity, gains = start.copy(), np.zeros_like(start), np.ones_like(start)
    attraction, repulsion = np.empty_like(start), np.empty_like(start)
    edges = affinities.indptr, affinities.indices, affinities.data
    grid = Grid()
    repel = grid.repulsion if axes == 2 and n > ALL_PAIRS_UP_TO else forces.repulsion
    with progress(None, "t-SNE", unit="iteration", total=EARLY_ITERATIONS + params.iterations) as bar:
        for iteration in range(1, bar.total + 1):
            exaggeration = EXAGGERATION if iteration <= EARLY_ITERATIONS else 1
            grid.fine = iteration > bar.total - FINE_GRID_ITERATIONS
            forces.attraction(positions, *edges, attraction)
            z = repel(positions, repulsion)
            attraction *= np.float32(exaggeration)
            repulsion *= np.float32(1 / z)
            move(positions, velocity, gains, attraction, repulsion, np.float32(n / exaggeration))
            positions -= positions.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
            bar.update()
            if iteration % SHOW_EVERY == 0:
                bar.set_postfix(KL=f"{forces.divergence(positions, affinities, z):.3f}", refresh=False)
    return positions


def principal_start(latents: np.ndarray, axes: int, seed: int) -> np.ndarray:
    """Return the first principal components of `latents` (n, d), scaled down and jittered, float32 (axes, n).

    If there are fewer components than axes, the remaining axes hold the jitter alone.
    """
    components = fit_pca(latents, axes).transform(latents).T.astype(np.float64)
    start = np.random.default_rng(seed).normal(0, JITTER * START_STD, (axes, len(latents)))
    start[: len(components)] += components * (START_STD / (components[0].std() or 1))
    return start.astype(np.float32)


@njit(parallel=True, cache=True)
def move(positions, velocity, gains, attraction, repulsion, learning_rate):
    """Update v <- momentum v - learning rate · gain · (attraction - repulsion), clipped to MAX_STEP, then y <- y + v.

    A coordinate's gain grows while gradient and velocity have opposite signs, and shrinks otherwise. The learning rate
    absorbs the factor 4 of the gradient, as usual.
    """
    axes, n = positions.shape
    for i in prange(n):
        squared_length = np.float32(0)
        for axis in range(axes):
            gradient = attraction[axis, i] - repulsion[axis, i]
            v, gain = velocity[axis, i], gains[axis, i]
            gain = max(gain * GAIN_DECAY, MIN_GAIN) if (v > 0) == (gradient > 0) else gain + GAIN_STEP
            v = MOMENTUM * v - learning_rate * gain * gradient
            velocity[axis, i], gains[axis, i] = v, gain
            squared_length += v * v
        clip = MAX_STEP / max(np.sqrt(squared_length), MAX_STEP)
        for axis in range(axes):
            velocity[axis, i] *= clip
            positions[axis, i] += velocity[axis, i]
