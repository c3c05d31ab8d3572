"""Which of very many latents are laid out by t-SNE, when all others are placed among them afterwards."""

from collections.abc import Callable
from functools import partial

import numpy as np

PILOT = 5000  # latents among which distances are taken
NEIGHBOURS = 10  # at whose distance a latent's surroundings end
PIECE = 1 << 16


def choose_landmarks(latents: np.ndarray, count: int, seed: int, run: Callable = map) -> np.ndarray:
    """Indices (count,) of `latents` (n, d), in rising order: each likelier the sparser its surroundings.

    Weights are distances to the tenth nearest of a pilot sample, so that rare kinds keep their place on the map while
    common ones still get most of it (as in geometric sketching, Hie et al. 2019). Drawn without replacement by the
    largest u^(1 / weight), Efraimidis & Spirakis 2006. `run` as the built-in map.
    """
    draw = np.random.default_rng(seed)
    pilot = latents[np.sort(draw.choice(len(latents), min(PILOT, len(latents)), replace=False))]
    pieces = (latents[start : start + PIECE] for start in range(0, len(latents), PIECE))
    weights = np.concatenate(list(run(partial(_surroundings, pilot), pieces))).astype(np.float64)
    keys = np.log(draw.random(len(latents))) / np.maximum(weights, np.finfo(np.float32).tiny)
    return np.sort(np.argsort(-keys, kind="stable")[:count])


def landmarks_of(rows: dict[str, np.ndarray], landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """`rows` as in `LatentSet`, of the training images only those on the map, in its order."""
    train = {name: values for name, values in rows.items() if name.startswith("train_") and len(values)}
    return rows | {name: values[landmarks] for name, values in train.items()}


def _surroundings(pilot: np.ndarray, latents: np.ndarray) -> np.ndarray:
    from stages.tsne.neighbours import nearest  # its kernels take half a second to import; pictures need none

    return nearest(pilot, latents, min(NEIGHBOURS, len(pilot)))[0][:, -1]
