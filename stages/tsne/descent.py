"""Gradient descent on the map, with the schedule that serves large data best.

From the first principal components (Kobak & Berens 2019), with learning rate n / exaggeration while neighbours attract
more strongly and n afterwards (Belkina et al. 2019), momentum 0.8, and a gain for each coordinate (Jacobs 1988).
"""

import shutil

import numpy as np
from numba import njit, prange
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

import stages.tsne.avx512  # noqa: F401
from stages.common.checkpoint import NoCheckpoint
from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import TsneParams
from stages.tsne import forces, gpu
from stages.tsne.grid import Grid

EARLY_ITERATIONS = 250  # with exaggeration, as in scikit-learn
MOMENTUM = np.float32(0.8)
GAIN_STEP, GAIN_DECAY, SMALLEST_GAIN = np.float32(0.2), np.float32(0.8), np.float32(0.01)
LONGEST_STEP = np.float32(5)
START_DEVIATION = 1e-4  # of the first axis; so close together, points part where the affinities pull them
JITTER = 0.01  # of that; identical latents could never part otherwise
ALL_PAIRS_UP_TO = 6_000  # points, in 2-D; more repel through the grid, twice as fast at 8,000 and nearly exact
SETTLING = 150  # last iterations, in which the grid's nodes lie closer together
SHOW_EVERY = 125  # iterations between two looks at the divergence


def optimise(latents: np.ndarray, affinities: csr_array, params: TsneParams, device: str = "auto") -> np.ndarray:
    """Positions float32 (2 or 3, n) that nearly minimise the divergence from the `affinities` of `latents` (n, d).

    Raises `InputError` if `tsne.device` is not there.
    """
    start = principal_start(latents, params.n_components, params.seed)
    if params.n_components == 2 and takes_gpu(device):
        return gpu.descend(start, affinities, params)
    return descend(start, affinities, params)


def takes_gpu(device: str) -> bool:
    """Whether `tsne.device` asks for a GPU, or leaves it open and there is one."""
    if device == "cpu" or (device == "auto" and shutil.which("nvidia-smi") is None):
        return False  # without importing torch, which takes seconds
    there = gpu.gpu_is_there()
    if device == "cuda" and not there:
        raise InputError("params.yaml: tsne.device = 'cuda' is not available on this machine: set it to auto or cpu")
    return there


def descend(
    start: np.ndarray, affinities: csr_array, params: TsneParams, checkpoint: NoCheckpoint | None = None
) -> np.ndarray:
    """The positions float32 (2 or 3, n) to which `start` descends, or to which what `checkpoint` holds goes on."""
    checkpoint = checkpoint or NoCheckpoint()
    state = checkpoint.load() or {
        "positions": start.copy(), "velocity": np.zeros_like(start), "gains": np.ones_like(start), "iteration": 0,
    }  # fmt: skip
    positions, velocity, gains, done = (state[name] for name in ("positions", "velocity", "gains", "iteration"))
    axes, n = positions.shape
    grid = Grid(state["spacing"][()], tuple(state["size"].tolist())) if "spacing" in state else Grid()
    repulsion = grid.repulsion if axes == 2 and n > ALL_PAIRS_UP_TO else forces.repulsion

    def reached() -> dict[str, np.ndarray]:
        moving = {"positions": positions, "velocity": velocity, "gains": gains, "iteration": np.array(iteration)}
        return moving if grid.spacing is None else {**moving, "spacing": grid.spacing, "size": np.array(grid.size)}

    pull, push = np.empty_like(positions), np.empty_like(positions)
    edges = affinities.indptr, affinities.indices, affinities.data
    with progress(None, "t-SNE", unit="iteration", total=EARLY_ITERATIONS + params.iterations) as bar:
        for iteration in range(int(done) + 1, bar.total + 1):
            exaggeration = params.early_exaggeration if iteration <= EARLY_ITERATIONS else 1
            grid.finest = iteration > bar.total - SETTLING
            forces.attraction(positions, *edges, pull)
            z = repulsion(positions, push)
            pull *= np.float32(exaggeration)
            push *= np.float32(1 / z)
            move(positions, velocity, gains, pull, push, np.float32(n / exaggeration))
            positions -= positions.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
            checkpoint.save(reached)
            bar.update()
            if iteration % SHOW_EVERY == 0:
                bar.set_postfix(KL=f"{forces.divergence(positions, affinities, z):.3f}")
    return positions


def principal_start(latents: np.ndarray, axes: int, seed: int) -> np.ndarray:
    """The first principal components of `latents` (n, d), float32 (axes, n), tiny and slightly jittered.

    Where there are fewer components than axes, the others start with the jitter alone.
    """
    centred = latents - latents.mean(axis=0, dtype=np.float64)
    with threadpool_limits(1, "blas"):  # more threads would cut the sums in other places
        directions = _principal_directions(centred, axes)
        largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
        components = (centred @ (directions * np.sign(largest))).T  # eigh leaves the signs open
    start = np.random.default_rng(seed).normal(0, JITTER * START_DEVIATION, (axes, len(latents)))
    start[: len(components)] += components * (START_DEVIATION / (components[0].std() or 1))
    return start.astype(np.float32)


def _principal_directions(centred: np.ndarray, axes: int) -> np.ndarray:
    """The first principal directions (d, axes) of centred rows (n, d), by the smaller of their two Gram matrices."""
    n, d = centred.shape
    if d <= n:
        return np.linalg.eigh(centred.T @ centred)[1][:, : -axes - 1 : -1]
    directions = centred.T @ np.linalg.eigh(centred @ centred.T)[1][:, : -axes - 1 : -1]
    return directions / np.maximum(np.linalg.norm(directions, axis=0), np.finfo(float).tiny)


@njit(parallel=True, cache=True)
def move(positions, velocity, gains, pull, push, learning_rate):
    """Move every point by its velocity v <- momentum v - learning rate · gain · (pull - push), at most LONGEST_STEP.

    A coordinate's gain grows while the gradient keeps driving it the way it goes, and decays when it turns. The
    gradient's factor 4 is left to the learning rate, as is usual.
    """
    axes, n = positions.shape
    for i in prange(n):
        length = np.float32(0)
        for axis in range(axes):
            gradient = pull[axis, i] - push[axis, i]
            v, gain = velocity[axis, i], gains[axis, i]
            gain = max(gain * GAIN_DECAY, SMALLEST_GAIN) if (v > 0) == (gradient > 0) else gain + GAIN_STEP
            v = MOMENTUM * v - learning_rate * gain * gradient
            velocity[axis, i], gains[axis, i] = v, gain
            length += v * v
        shorter = LONGEST_STEP / max(np.sqrt(length), LONGEST_STEP)
        for axis in range(axes):
            velocity[axis, i] *= shorter
            positions[axis, i] += velocity[axis, i]
