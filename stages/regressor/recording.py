"""Record a training: weights, losses and gradients at about sixty moments, the early ones dense."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.regressor.network import Linear, Regressor

MOMENTS = 64
EARLY = 0.56  # share of the moments that are spaced evenly in the logarithm of the step, the others in the step
MOST_BYTES = 64_000_000  # of weights; a large network is recorded at fewer moments


def moments(steps: int, most: int) -> np.ndarray:
    """Return about `most` steps after which to record a training of `steps` steps: 0, 1, 2, … steps, sorted int32.

    Of a short training at most every eighth step, so that recording costs less than a tenth of it.
    """
    most = min(most, steps / 8)
    early, late = (max(round(share * most), 2) for share in (EARLY, 1 - EARLY))
    found = np.concatenate([[0], np.geomspace(1, steps, early), np.linspace(0, steps, late)])
    return np.unique(found.round()).astype(np.int32)


class Recorder:
    """Watches a training as its `on_step`; afterwards `arrays` returns the recording."""

    def __init__(self, most: int = MOMENTS):
        self.most, self.snapshots, self.losses, self.gradients, self.recent = most, [], [], [], []

    def __call__(self, step: int, steps: int, regressor: Regressor, losses: Tensor) -> None:
        """Keep the weights after `step` of `steps` steps, if that is a moment to record; `losses` are (members,)."""
        if step == 0:
            size = sum(weights.nbytes for weights in regressor.network.state_dict().values())
            self.moments = moments(steps, min(self.most, MOST_BYTES // size))
        self.recent.append(losses)
        if step == self.moments[len(self.snapshots)]:
            self._keep(regressor)

    def _keep(self, regressor: Regressor) -> None:
        self.snapshots.append({name: v.numpy().copy() for name, v in regressor.network.state_dict().items()})
        self.losses.append(torch.stack(self.recent).mean().item() if self.recent else self.losses[-1])
        self.recent = []
        layers = [layer for layer in regressor.network.layers if isinstance(layer, Linear)]
        self.gradients.append([layer.weight.grad.flatten(1).norm(dim=1).mean().item() for layer in layers])

    def arrays(self, regressor: Regressor, history: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return the recording of a training that ended with `regressor` and `history`.

        Keys, for m moments and l linear layers:

            step: int32 (m,). train_loss: float32 (m,), mean over the batches since the moment before.
            epoch_loss: float32 (epochs, 2), training and validation loss. All losses are in the unit of y.
            gradient: float32 (m, l), norms of the layers' gradients, mean over the networks.
            Each array of the network's `state_dict`, by its name: (m, …).
        """
        self._keep(regressor)
        return {
            "step": self.moments,
            "train_loss": np.array(self.losses, np.float32),
            "epoch_loss": history[["train_loss", "validation_loss"]].to_numpy(np.float32),
            "gradient": np.array(self.gradients, np.float32),
            **{name: np.stack([kept[name] for kept in self.snapshots]) for name in self.snapshots[0]},
        }
