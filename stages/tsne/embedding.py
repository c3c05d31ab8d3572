"""t-SNE (van der Maaten & Hinton 2008): lay latents out so that neighbours in latent space stay neighbours.

The steps, one file each: `neighbours`, `affinities`, `forces` and `grid_repulsion`, `gradient_descent`, and
`gradient_descent_on_gpu`.
`placing` adds new points to the finished map, whichever engine made it.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from stages.common.errors import InputError
from stages.common.pca import fit_pca
from stages.common.settings import TsneParams
from stages.tsne import gradient_descent, gradient_descent_on_gpu
from stages.tsne.affinities import joint_affinities
from stages.tsne.forces import divergence
from stages.tsne.place_new_rows import place_rows

FEWEST = 10  # points of a map
STARTS, STARTS_UP_TO = 4, 500  # maps of so few points depend on the jitter of their start: the best of some is kept
WIDE, COMPONENTS = 300, 100  # wider latents are replaced by so many principal components, as is the custom
THREADS = 2  # of scikit-learn: fixed, so that its sums do not depend on the machine
PIECE = 4096  # new points placed at once


def embed(latents: np.ndarray, params: TsneParams, device: str = "auto") -> tuple[np.ndarray, float]:
    """Map `latents` (n, d) float32; the engine fitmap uses `device`.

    Returns positions (n, 2 | 3) float32, centred on zero, and their exact Kullback-Leibler divergence in nats. Lowers a
    perplexity that is too large for n, with a message. Raises `InputError` for fewer than ten latents, or if there is
    no such device.
    """
    n = len(latents)
    if n < FEWEST:
        raise InputError(f"a map needs at least {FEWEST} points, but there are {n}")
    if (latents == latents[0]).all():
        _say(f"all {n} vectors are equal: their places on the map mean nothing")
    perplexity = min(params.perplexity, (n - 1) / 3)
    if perplexity < params.perplexity:
        _say(f"tsne.perplexity = {params.perplexity:g} is too large for {n} points: lowered to {perplexity:.3g}")
    if latents.shape[1] > WIDE:
        latents = fit_pca(latents, COMPONENTS).transform(latents)
        _say(f"vectors are wide: t-SNE takes their first {latents.shape[1]} principal components")
    affinities = joint_affinities(latents, perplexity)
    if params.engine == "sklearn":
        positions = _sklearn(latents, params, perplexity)
    else:
        on_gpu = params.n_components == 2 and gradient_descent_on_gpu.use_gpu(device)
        descend = (gradient_descent_on_gpu if on_gpu else gradient_descent).descend
        seeds = range(params.seed, params.seed + (STARTS if n <= STARTS_UP_TO else 1))
        starts = (gradient_descent.principal_start(latents, params.n_components, seed) for seed in seeds)
        maps = [descend(start, affinities, params) for start in starts]
        positions = min(maps, key=lambda found: divergence(found, affinities)).T
    positions = np.ascontiguousarray(positions - (positions.max(axis=0) + positions.min(axis=0)) / 2, np.float32)
    return positions, divergence(np.ascontiguousarray(positions.T), affinities)


def place(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray, run: Callable = map) -> np.ndarray:
    """Return positions (m, 2 | 3) float32 of `new_latents` (m, d) on the finished map of `latents`, which stays.

    New points do not see each other: a point lands in the same place alone and among others. `run` maps a function
    over pieces of the new points, as the built-in `map` does.
    """
    if latents.shape[1] > WIDE:
        pca = fit_pca(latents, COMPONENTS)
        latents, new_latents = pca.transform(latents), pca.transform(new_latents)
    pieces = (new_latents[start : start + PIECE] for start in range(0, len(new_latents), PIECE))
    placed = run(partial(place_rows, latents, positions), pieces)
    return np.concatenate([np.empty((0, positions.shape[1]), np.float32), *placed])


def _sklearn(latents: np.ndarray, params: TsneParams, perplexity: float) -> np.ndarray:
    from sklearn.manifold import TSNE  # takes a second to import

    return TSNE(
        n_components=params.n_components,
        perplexity=perplexity,
        early_exaggeration=gradient_descent.EXAGGERATION,
        max_iter=gradient_descent.EARLY_ITERATIONS + params.iterations,
        random_state=params.seed,
        n_jobs=THREADS,
        verbose=2,
    ).fit_transform(latents)


def _say(message: str) -> None:
    print(f"fitmap: {message}", file=sys.stderr)
