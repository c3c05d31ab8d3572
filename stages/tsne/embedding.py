"""t-SNE (van der Maaten & Hinton 2008): lay the latents out so that neighbours in latent space stay neighbours.

Two engines share one schedule: the project's own and scikit-learn's. New points are placed on the finished
map by the project's own, whichever laid it out.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from stages.common.errors import InputError
from stages.common.settings import TsneParams
from stages.tsne import placing
from stages.tsne.affinities import joint_affinities
from stages.tsne.descent import EARLY_ITERATIONS, optimise
from stages.tsne.forces import divergence

THREADS = 2  # of the other engines: a fixed number, so that floating-point sums are cut alike on every machine
PIECE = 4096  # new points placed at once


def embed(latents: np.ndarray, params: TsneParams, device: str = "auto") -> tuple[np.ndarray, float]:
    """Map `latents` (n, d) float32; the engine fitmap runs on `device`.

    Returns their positions (n, 2 or 3) float32, centred on zero, and the Kullback-Leibler divergence in nats that
    t-SNE has reached. Raises `InputError` if there are too few latents for the perplexity.
    """
    most = (len(latents) - 1) / 3
    if params.perplexity > most:
        raise InputError(
            f"params.yaml: tsne.perplexity = {params.perplexity:g} is too large for {len(latents)} points: "
            f"at most {most:.0f} (a third of tsne.points, or of the images there are)"
        )
    if params.engine == "fitmap":
        positions, kl_divergence = _fitmap(latents, params, device)
    else:
        positions, kl_divergence = _sklearn(latents, params)
    positions = positions - (positions.max(axis=0) + positions.min(axis=0)) / 2
    return np.ascontiguousarray(positions, dtype=np.float32), kl_divergence


def place(latents: np.ndarray, positions: np.ndarray, new_latents: np.ndarray, run: Callable = map) -> np.ndarray:
    """Positions (m, 2 or 3) float32 for `new_latents` (m, d) in the finished map of `latents`, which does not move.

    New points do not see each other, so a point lands in the same place alone and among others. `run` does what the
    built-in map does, with some points at a time.
    """
    pieces = (new_latents[start : start + PIECE] for start in range(0, len(new_latents), PIECE))
    placed = run(partial(placing.place, latents, positions), pieces)
    return np.concatenate([np.empty((0, positions.shape[1]), np.float32), *placed])


def _fitmap(latents: np.ndarray, params: TsneParams, device: str) -> tuple[np.ndarray, float]:
    affinities = joint_affinities(latents, params.perplexity)
    positions = optimise(latents, affinities, params, device)
    return positions.T, divergence(positions, affinities)


def _sklearn(latents: np.ndarray, params: TsneParams) -> tuple[np.ndarray, float]:
    from sklearn.manifold import TSNE

    engine = TSNE(
        n_components=params.n_components,
        perplexity=params.perplexity,
        early_exaggeration=params.early_exaggeration,
        max_iter=EARLY_ITERATIONS + params.iterations,
        random_state=params.seed,
        n_jobs=THREADS,
        verbose=2,
    )
    return engine.fit_transform(latents), float(engine.kl_divergence_)
