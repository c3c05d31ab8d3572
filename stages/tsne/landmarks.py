"""Choose which of many latents t-SNE maps; all others are placed among them afterwards."""

from collections.abc import Callable
from functools import partial

import numpy as np

PILOT = 5000  # latents among which distances are measured
NEIGHBOURS = 10
PIECE = 1 << 16


def choose_landmarks(latents: np.ndarray, count: int, seed: int, run: Callable = map) -> np.ndarray:
    """Return the sorted indices (count,) of `latents` (n, d) drawn with more weight in sparse regions.

    The weight is the distance to the tenth nearest latent of a pilot sample: rare classes keep their place on the map,
    while common ones still get most of it (as in geometric sketching, Hie et al. 2019). Draws without replacement by
    the largest u^(1 / weight) (Efraimidis & Spirakis 2006). `run` maps a function over pieces, as the built-in `map`.
    """
    draw = np.random.default_rng(seed)
    pilot = latents[np.sort(draw.choice(len(latents), min(PILOT, len(latents)), replace=False))]
    pieces = (latents[start : start + PIECE] for start in range(0, len(latents), PIECE))
    weights = np.concatenate(list(run(partial(_sparseness, pilot), pieces))).astype(np.float64)
    keys = np.log(draw.random(len(latents))) / np.maximum(weights, np.finfo(np.float32).tiny)
    return np.sort(np.argsort(-keys, kind="stable")[:count])


def _sparseness(pilot: np.ndarray, latents: np.ndarray) -> np.ndarray:
    from stages.tsne.neighbours import nearest  # its kernels take half a second to import; pictures need none

    return nearest(pilot, latents, min(NEIGHBOURS, len(pilot)))[0][:, -1]
