"""Look into a trained network: its straight pieces and its dead units."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from stages.regressor.network import Linear, Regressor

GRID = 100_001
SATURATED = 1e-6  # a sigmoid or tanh unit of less slope than this no longer learns
PIECEWISE_LINEAR = ("leaky_relu", "relu", "identity")


def activations(regressor: Regressor, x: np.ndarray) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield every activation with its inputs at x (n,), over all networks: (members, n, width)."""
    features = regressor.encode(regressor.scale_x(torch.tensor(np.asarray(x, np.float64))))
    hidden = features if regressor.network.skip is None else features[:, 1:]
    for layer in regressor.network.layers:
        if not isinstance(layer, Linear):
            yield layer, hidden
        hidden = layer(hidden)


@torch.no_grad()
def breakpoints(network: Regressor, x_low: float, x_high: float) -> np.ndarray | None:
    """Find where in [x_low, x_high] the straight pieces of the fit meet, sorted float64; None if the fit has curves.

    A piece ends where a hidden unit changes its sign between neighbours on a grid of `GRID` points.
    """
    a = network.architecture
    if a["encoding"] != "none" or a["activation"] not in PIECEWISE_LINEAR or a["log_x"]:
        return None
    x, bends = np.linspace(x_low, x_high, GRID), torch.zeros(GRID - 1, dtype=torch.bool)
    for activation, before in activations(network, x):
        if not isinstance(activation, nn.Identity):
            bends |= (before > 0).diff(dim=1).any(dim=2).any(dim=0)
    return ((x[:-1] + x[1:]) / 2)[bends.numpy()]


def linear_pieces(network: Regressor, x_low: float, x_high: float) -> int | None:
    """Count the straight pieces of the fit on [x_low, x_high]; None if it has curves."""
    points = breakpoints(network, x_low, x_high)
    return None if points is None else len(points) + 1


@torch.no_grad()
def dead_units(network: Regressor, x: np.ndarray) -> int:
    """Count the hidden units, over all networks, whose activation has slope zero at every one of the points x (n,)."""
    dead = 0
    for activation, before in activations(network, x):
        match activation:
            case nn.ReLU() | nn.LeakyReLU(negative_slope=0):
                idle = before <= 0
            case nn.Sigmoid():
                idle = before.sigmoid() * (1 - before.sigmoid()) < SATURATED
            case nn.Tanh():
                idle = 1 - before.tanh().square() < SATURATED
            case _:
                continue
        dead += int(idle.all(dim=1).sum())
    return dead
