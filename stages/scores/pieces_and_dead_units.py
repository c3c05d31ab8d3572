"""Look into a trained network: its straight pieces and its dead units."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from stages.regressor.network import Linear, Regressor

SATURATED = 1e-6  # a sigmoid or tanh unit of less slope than this no longer learns
PIECEWISE_LINEAR = ("leaky_relu", "relu", "identity")


def activations(regressor: Regressor, x: np.ndarray) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield every activation with its inputs at x (n,), over all networks: (members, n, width)."""
    hidden = regressor.encode(regressor.scale_x(torch.tensor(np.asarray(x, np.float64))))
    for layer in regressor.network.layers:
        if not isinstance(layer, Linear):
            yield layer, hidden
        hidden = layer(hidden)


@torch.no_grad()
def corners(regressor: Regressor, u_low: float, u_high: float) -> np.ndarray | None:
    """Return u and v (k, 2), scaled x and y, where straight pieces of the fit end; None if the fit has curves.

    They are exact: between two places where no hidden unit changes its sign every layer is linear in u. The first and
    the last are the ends of the range.
    """
    a = regressor.architecture
    if a["encoding"] != "none" or a["activation"] not in PIECEWISE_LINEAR:
        return None
    below = {"leaky_relu": a["negative_slope"], "relu": 0.0, "identity": 1.0}[a["activation"]]
    linear = [layer for layer in regressor.network.layers if isinstance(layer, Linear)]
    layers = [(layer.weight.double().numpy(), layer.bias.double().numpy()) for layer in linear]
    u = np.array([u_low, u_high], np.float64)
    hidden = np.broadcast_to(u[:, None], (a["ensemble_size"], 2, 1))  # of all networks at the same places
    for weight, bias in layers[:-1]:
        hidden = hidden @ weight + bias
        if below != 1:
            u, rows = with_zeros(u, hidden.transpose(1, 0, 2).reshape(len(u), -1))
            hidden = rows.reshape(len(u), *hidden.shape[::2]).transpose(1, 0, 2)
        hidden = np.where(hidden > 0, hidden, below * hidden)
    v = (hidden @ layers[-1][0] + layers[-1][1])[:, :, 0].mean(axis=0)
    u, first = np.unique(u, return_index=True)
    return np.stack([u, v[first]], axis=1)


def with_zeros(u: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add the zeros of the columns of `hidden` (k, width), which are linear between the sorted places u (k,)."""
    above = hidden > 0
    left, unit = np.nonzero(above[1:] != above[:-1])
    share = hidden[left, unit] / (hidden[left, unit] - hidden[left + 1, unit])
    zeros = u[left] + share * (u[left + 1] - u[left])
    rows = hidden[left] + share[:, None] * (hidden[left + 1] - hidden[left])
    order = np.concatenate([np.arange(len(u)), left + share]).argsort(kind="stable")
    return np.concatenate([u, zeros])[order], np.concatenate([hidden, rows])[order]


def breakpoints(regressor: Regressor, x_low: float, x_high: float) -> np.ndarray | None:
    """Find where in [x_low, x_high] the straight pieces of the fit meet, sorted float64; None if the fit has curves."""
    if regressor.architecture["log_x"]:
        return None
    ends = regressor.scale_x(torch.tensor([x_low, x_high], dtype=torch.float64)).tolist()
    found = corners(regressor, *ends)
    return None if found is None else found[1:-1, 0] * regressor.x_scale.item() + regressor.x_centre.item()


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
