"""Compute what the page plays back from a recorded training."""

from copy import deepcopy

import numpy as np
import torch

from stages.regressor.network import Linear, Regressor
from stages.scores.pieces_and_dead_units import corners

PLACES = 601  # in x, at which the fit is shown
MOST_INSIDE = 300_000  # bytes of weights on the page; those of a large network are shown at fewer moments
FEWEST_INSIDE = 6  # moments; a network too large for them is shown from outside alone
TINY = 1e-5  # share of the largest number


@torch.no_grad()
def playback(
    recording: dict[str, np.ndarray], regressor: Regressor, places: int = PLACES, looks: int | None = None
) -> dict[str, np.ndarray]:
    """Return what the page shows of a recording (see `Recorder.arrays`) of a training that ended with `regressor`.

    The fit is shown at `places` in x, the weights at `looks` moments at most; None: at all that `MOST_INSIDE` allows.

    All u and v are scaled x and y: x, or its logarithm, is x_centre + x_scale · u, and y is y_centre + y_scale · v.
    Besides step, train_loss, epoch_loss and gradient of the recording, for m moments, k of them with a look inside, and
    g places:

        u: float64 (g,). fit: float32 (m, g), v of the mean of the networks. band: float32 (2, g), v of the bounds of
            the 90 % band around the last fit.
        scale: float64 (4,), x_centre, x_scale, y_centre, y_scale.
        gate: float32 (m,), the share of the layers in the fit; the rest is the skip connection's.
        inside: int32 (k,), numbers of moments. weights: (k, weights), see `first_network`.
        mix: float32 (2 + 2 · frequencies, components), from waves to features, without the tiny numbers; empty
            without waves or looks inside.
        corner_counts: int32 (k,), corners: float32 (sum, 2), u and v where straight pieces of the fit end, moment
            after moment, with both ends of the range; empty if the fit has curves.
    """
    last, r = regressor, deepcopy(regressor)
    low, high = last.scale_x(torch.stack([last.x_low, last.x_high])).tolist()
    u = torch.linspace(low, high, places, dtype=torch.float64)
    features, count = last.encode(u), len(recording["step"])
    fits, weights, pieces = [], [], []
    shown = inside(count, first_network(last).nbytes, looks)
    for moment in range(count):
        kept = {name: torch.tensor(recording[name][moment]) for name in last.network.state_dict()}
        r.network.load_state_dict(kept)
        found = corners(r, low, high) if moment in shown else None
        if moment in shown:
            weights.append(first_network(r))
        if found is None:
            fits.append(r.network(features).double().mean(dim=0).numpy())
        else:
            pieces.append(found)
            fits.append(np.interp(u, *found.T))
    x = u * last.x_scale + last.x_centre
    bounds = torch.stack(last(x.exp() if last.architecture["log_x"] else x)[1:])
    return {
        **{name: recording[name] for name in ("step", "train_loss", "epoch_loss", "gradient")},
        "u": u.numpy(),
        "fit": np.stack(fits).astype(np.float32),
        "band": ((bounds - last.y_centre) / last.y_scale).float().numpy(),
        "scale": torch.stack([last.x_centre, last.x_scale, last.y_centre, last.y_scale]).numpy(),
        "gate": np.asarray(recording["gate"], np.float32).reshape(count),
        "inside": shown,
        "weights": np.array(weights) if weights else np.empty((0, 0), np.float32),
        "mix": without_tiny(last.features.mix.numpy()) if last.features and weights else np.empty((0, 0), np.float32),
        "corner_counts": np.array([len(found) for found in pieces], np.int32),
        "corners": np.concatenate([np.empty((0, 2)), *pieces]).astype(np.float32),
    }


def inside(count: int, size: int, looks: int | None = None) -> np.ndarray:
    """Return which of `count` moments to show with their weights, of `size` bytes each: int32, the last among them."""
    most = MOST_INSIDE // size
    most = 0 if most < FEWEST_INSIDE else most if looks is None else min(most, looks)
    if not most:
        return np.empty(0, np.int32)
    return np.arange(count, dtype=np.int32)[:: -max(-(-count // most), 1)][::-1]


def first_network(regressor: Regressor) -> np.ndarray:
    """Return the weights of the first network of the ensemble as one array (weights,), multiplied by the gate.

    Each layer's weights (inputs × outputs, row by row) and biases, then those of the skip connection. float32; behind
    waves, where they are many, float16.
    """
    network, gate = regressor.network, regressor.network.gate
    linear = [(layer, 1) for layer in network.layers if isinstance(layer, Linear)]
    linear[-1] = (linear[-1][0], gate)
    linear += [(network.skip, 1 - gate)] if network.skip else []
    parts = [
        (part[0] * factor).detach().numpy().ravel() for layer, factor in linear for part in (layer.weight, layer.bias)
    ]
    return np.concatenate(parts).astype(np.float16 if regressor.features else np.float32)


def without_tiny(mix: np.ndarray) -> np.ndarray:
    """Return `mix` as float32, with zeros, which deflate well, for what is too small to be seen in a picture."""
    return np.where(np.abs(mix) < TINY * np.abs(mix).max(), 0, mix).astype(np.float32)
