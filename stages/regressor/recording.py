"""Record a training at about sixty moments, the early ones dense: what `plots/curve.html` plays back."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.regressor.network import Linear, Regressor
from stages.regressor.pieces_and_dead_units import corners

PLACES = 601  # in x, at which the fit is kept
SPREAD = 36, 28  # moments spaced evenly in the logarithm of the step, and in the step
MOST_INSIDE = 300_000  # bytes of weights; those of a large network are kept at fewer moments
TINY = 1e-5  # share of the largest number
FEWEST_INSIDE = 6  # moments; a network too large for them is recorded from outside alone


def moments(steps: int, spread: tuple[int, int] = SPREAD) -> np.ndarray:
    """Return the steps after which to record a training of `steps` steps: 0, 1, 2, … steps, sorted int32.

    Of a short training at most every eighth step, so that recording costs less than a tenth of it.
    """
    share = min(steps / 8 / sum(spread), 1)
    early, late = (max(round(share * count), 2) for count in spread)
    found = np.concatenate([[0], np.geomspace(1, steps, early), np.linspace(0, steps, late)])
    return np.unique(found.round()).astype(np.int32)


class Recorder:
    """Watches a training as its `on_step`; afterwards `arrays` returns the recording.

    Args:
        spread, places: as `SPREAD` and `PLACES`.
        looks: moments at most at which the weights are kept, the last one among them; None: all that `MOST_INSIDE`
            allows.
    """

    def __init__(self, spread: tuple[int, int] = SPREAD, places: int = PLACES, looks: int | None = None):
        self.spread, self.places, self.looks = spread, places, looks
        self.fits, self.losses, self.gradients, self.weights, self.corners, self.recent = [], [], [], [], [], []

    def __call__(self, step: int, steps: int, regressor: Regressor, losses: Tensor) -> None:
        """Keep the regressor as it is after `step` of `steps` steps, if that is a moment to record.

        `losses` are those of the next batch (members,).
        """
        if step == 0:
            self.moments = moments(steps, self.spread)
            size = first_network(regressor).nbytes
            kept = MOST_INSIDE // size if MOST_INSIDE >= FEWEST_INSIDE * size else 0
            kept = kept if self.looks is None else min(kept, self.looks)
            stride = -(-len(self.moments) // kept) if kept else len(self.moments) + 1
            self.inside = np.arange(len(self.moments))[::-1][::stride][::-1] if kept else np.arange(0)
            low, high = regressor.scale_x(torch.stack([regressor.x_low, regressor.x_high])).tolist()
            self.u = torch.linspace(low, high, self.places, dtype=torch.float64)
            self.features = regressor.encode(self.u)
        self.recent.append(losses)
        if step == self.moments[len(self.fits)]:
            self._keep(regressor)

    @torch.no_grad()
    def _keep(self, regressor: Regressor) -> None:
        pieces = None
        if len(self.fits) in self.inside:
            self.weights.append(first_network(regressor))
            pieces = corners(regressor, *self.u[[0, -1]].tolist())
            self.corners += [] if pieces is None else [pieces]
        if pieces is None:
            fit = regressor.network(self.features).double().mean(dim=0).numpy()
        else:
            fit = np.interp(self.u, *pieces.T)
        self.fits.append(fit.astype(np.float32))
        self.losses.append(torch.stack(self.recent).mean().item() if self.recent else self.losses[-1])
        self.recent = []
        norms = [torch.linalg.vector_norm(layer.weight.grad, dim=(1, 2)) for layer in layers_of(regressor)]
        self.gradients.append(torch.stack(norms).mean(dim=1).tolist())

    def arrays(self, regressor: Regressor, history: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return the recording of a training that ended with `regressor` and `history`.

        All u and v are scaled x and y: x, or its logarithm, is x_centre + x_scale · u, and y is y_centre + y_scale · v.
        Keys, for m moments, k of them with a look inside, g places and l linear layers:

            step: int32 (m,). train_loss: float32 (m,), mean over the batches since the moment before.
            epoch_loss: float32 (epochs, 2), training and validation loss. All losses are in the unit of y.
            gradient: float32 (m, l), norms of the layers' gradients, mean over the networks.
            u: float64 (g,). fit: float32 (m, g), v of the mean of the networks. band: float32 (2, g), v of the bounds
                of the 90 % band around the last fit.
            scale: float64 (4,), x_centre, x_scale, y_centre, y_scale.
            inside: int32 (k,), numbers of moments. weights: (k, weights), see `first_network`.
            mix: float32 (2 + 2 · frequencies, components), from waves to features, without the tiny numbers; empty
                without waves or looks inside.
            corner_counts: int32 (k,), corners: float32 (sum, 2), u and v where straight pieces of the fit end, moment
                after moment, with both ends of the range; empty if the fit has curves.
        """
        self._keep(regressor)
        r = regressor
        x = self.u * r.x_scale + r.x_centre
        with torch.no_grad():
            bounds = torch.stack(r(x.exp() if r.architecture["log_x"] else x)[1:])
        return {
            "step": self.moments,
            "train_loss": np.array(self.losses, np.float32),
            "epoch_loss": history[["train_loss", "validation_loss"]].to_numpy(np.float32),
            "gradient": np.array(self.gradients, np.float32),
            "u": self.u.numpy(),
            "fit": np.stack(self.fits),
            "band": ((bounds - r.y_centre) / r.y_scale).float().numpy(),
            "scale": torch.stack([r.x_centre, r.x_scale, r.y_centre, r.y_scale]).numpy(),
            "inside": self.inside.astype(np.int32),
            "weights": np.array(self.weights) if self.weights else np.empty((0, 0), np.float32),
            "mix": without_tiny(r.features.mix.numpy())
            if r.features and self.weights
            else np.empty((0, 0), np.float32),
            "corner_counts": np.array([len(pieces) for pieces in self.corners], np.int32),
            "corners": np.concatenate([np.empty((0, 2)), *self.corners]).astype(np.float32),
        }


def first_network(regressor: Regressor) -> np.ndarray:
    """Return the weights of the first network of the ensemble as one array (weights,).

    Each layer's weights (inputs × outputs, row by row) and biases, then those of the skip connection. float32; behind
    waves, where they are many, float16.
    """
    layers = [*layers_of(regressor), *([regressor.network.skip] if regressor.network.skip else [])]
    parts = [part[0].detach().numpy().ravel() for layer in layers for part in (layer.weight, layer.bias)]
    return np.concatenate(parts).astype(np.float16 if regressor.features else np.float32)


def without_tiny(mix: np.ndarray) -> np.ndarray:
    """Return `mix` as float32, with zeros, which deflate well, for what is too small to be seen in a picture."""
    return np.where(np.abs(mix) < TINY * np.abs(mix).max(initial=0), 0, mix).astype(np.float32)


def layers_of(regressor: Regressor) -> list[Linear]:
    """Return the linear layers, from the features to y, without the skip connection."""
    return [layer for layer in regressor.network.layers if isinstance(layer, Linear)]
