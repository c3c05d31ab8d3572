"""Gradient descent on the map, with the schedule that serves large data best.

From the first principal components (Kobak & Berens 2019), with learning rate n / exaggeration while neighbours attract
more strongly and n afterwards (Belkina et al. 2019), momentum 0.8, and a gain for each coordinate (Jacobs 1988).
"""

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array

from stages.latents.engine import forces
from stages.pipeline.params import TsneParams
from stages.pipeline.progress import progress

MOMENTUM = np.float32(0.8)
GAIN_STEP, GAIN_DECAY, SMALLEST_GAIN = np.float32(0.2), np.float32(0.8), np.float32(0.01)
LONGEST_STEP = np.float32(5)
START_DEVIATION = 1e-4  # of the first axis; so close together, points part where the affinities pull them
JITTER = 0.01  # of that; identical latents could never part otherwise
SHOW_EVERY = 50  # iterations between two looks at the divergence


def optimise(latents: np.ndarray, affinities: csr_array, params: TsneParams) -> np.ndarray:
    """Positions float32 (2 or 3, n) that (nearly) minimise the divergence from the `affinities` of `latents` (n, d)."""
    positions = principal_start(latents, params.n_components, params.seed)
    n = positions.shape[1]
    repulsion = forces.repulsion
    velocity, gains = np.zeros_like(positions), np.ones_like(positions)
    pull, push = np.empty_like(positions), np.empty_like(positions)
    with progress(None, "t-SNE", unit="iteration", total=params.early_iterations + params.iterations) as bar:
        for iteration in range(1, bar.total + 1):
            exaggeration = params.early_exaggeration if iteration <= params.early_iterations else 1
            forces.attraction(positions, affinities.indptr, affinities.indices, affinities.data, pull)
            z = repulsion(positions, push)
            step(
                positions, velocity, gains, pull, push,
                np.float32(exaggeration), np.float32(1 / z), np.float32(n / exaggeration),
            )  # fmt: skip
            positions -= positions.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
            bar.update()
            if iteration % SHOW_EVERY == 0:
                bar.set_postfix(KL=f"{forces.divergence(positions, affinities, z):.3f}")
    return positions


def principal_start(latents: np.ndarray, axes: int, seed: int) -> np.ndarray:
    """The first principal components of `latents` (n, d), float32 (axes, n), tiny and slightly jittered."""
    centred = latents - latents.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    directions = directions[:, : -axes - 1 : -1]
    directions *= np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(axes)])  # eigh leaves signs open
    start = (centred @ directions).T
    start *= START_DEVIATION / (start[0].std() or 1)
    start += np.random.default_rng(seed).normal(0, JITTER * START_DEVIATION, start.shape)
    return np.ascontiguousarray(start, dtype=np.float32)


@njit(parallel=True, cache=True)
def step(positions, velocity, gains, pull, push, exaggeration, inverse_z, learning_rate):
    """Move every point along v <- momentum v - learning rate · gain · gradient, at most by LONGEST_STEP.

    A gain grows while its gradient points along the velocity reversed... and shrinks where the two disagree. The
    gradient's factor 4 is left to the learning rate, as everywhere.
    """
    axes, n = positions.shape
    for i in prange(n):
        length = np.float32(0)
        for axis in range(axes):
            gradient = exaggeration * pull[axis, i] - inverse_z * push[axis, i]
            v, gain = velocity[axis, i], gains[axis, i]
            gain = max(gain * GAIN_DECAY, SMALLEST_GAIN) if (v > 0) == (gradient > 0) else gain + GAIN_STEP
            v = MOMENTUM * v - learning_rate * gain * gradient
            velocity[axis, i], gains[axis, i] = v, gain
            length += v * v
        shorten = min(np.float32(1), LONGEST_STEP / np.sqrt(length + np.float32(1e-30)))
        for axis in range(axes):
            velocity[axis, i] *= shorten
            positions[axis, i] += velocity[axis, i]
