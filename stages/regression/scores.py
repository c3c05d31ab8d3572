"""How good the fit is, and what it is made of."""

import math

import numpy as np
import torch

from stages.regression.network import PIECEWISE_LINEAR, Regressor, resolutions
from stages.regression.points import OUTLIER_SCALE

SATURATED = 1e-6  # below this slope on every point a sigmoid or tanh unit no longer learns


def noise_floor_mae(noise_std: float, outlier_fraction: float = 0) -> float:
    """Mean absolute error of the true curve itself under normal noise, std · √(2/π), with the outliers of
    `draw_points`: no prediction can be better."""
    return noise_std * math.sqrt(2 / math.pi) * (1 + outlier_fraction * (OUTLIER_SCALE - 1))


def linear_baseline_mae(x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray) -> float:
    """Mean absolute error on the test points of the straight line fitted to the training points by least squares."""
    slope, intercept = np.polyfit(x, y, 1)
    return float(np.abs(test_y - (slope * test_x + intercept)).mean())


@torch.no_grad()
def breakpoints(network: Regressor, x_low: float, x_high: float) -> np.ndarray | None:
    """Where in (x_low, x_high) the straight pieces of the fitted function meet, sorted float64; None if it has curves.

    Exact: between the breakpoints so far every unit of a layer is a linear function of x, so its zero crossing, the
    next breakpoint, follows from its values at both ends. Layer by layer, each member by itself.
    """
    architecture = network.architecture
    if architecture["encoding"] == "fourier" or architecture["activation"] not in PIECEWISE_LINEAR:
        return None
    network = _in_float64(network)
    ends = network.scale_x(torch.tensor([x_low, x_high], dtype=torch.float64))
    points = [_with_knots(network, ends, member) for member in range(architecture["members"])]
    if architecture["activation"] != "identity":
        for depth in range(len(network.layers) - 1):
            points = [_with_crossings(network, u, member, depth) for member, u in enumerate(points)]
    kinks = _kinks(network, torch.cat(points).unique())
    return ((kinks + 1) / 2 * (network.x_high - network.x_low) + network.x_low).numpy()


def linear_pieces(network: Regressor, x_low: float, x_high: float) -> int | None:
    """Number of straight pieces of the fitted function over [x_low, x_high]; None if it is not piecewise linear."""
    kinks = breakpoints(network, x_low, x_high)
    return None if kinks is None else len(kinks) + 1


@torch.no_grad()
def dead_units(network: Regressor, x: np.ndarray) -> int:
    """Hidden units, of all members, whose activation has slope zero at every one of the points x (n,)."""
    inputs, activation = (
        network.scale_x(torch.from_numpy(np.array(x, dtype=np.float64))),
        network.architecture["activation"],
    )
    slope = network.architecture["negative_slope"] if activation == "leaky_relu" else 0.0
    dead, hidden = 0, network.encode(inputs)
    for layer in network.layers[:-1]:
        before = layer(hidden)
        hidden = network.activate(before)
        match activation:
            case "relu" | "leaky_relu":
                idle = (before <= 0) & (slope == 0)
            case "sigmoid":
                idle = hidden * (1 - hidden) < SATURATED
            case "tanh":
                idle = 1 - hidden.square() < SATURATED
            case _:
                return 0
        dead += int(idle.all(dim=1).sum())
    return dead


def _in_float64(network: Regressor) -> Regressor:
    copy = Regressor(network.architecture).double()
    copy.load_state_dict(network.state_dict())
    return copy


def _with_knots(network: Regressor, ends: torch.Tensor, member: int) -> torch.Tensor:
    """The two ends and, sorted between them, where the hats that a member sees have their corners; in scaled x."""
    architecture = network.architecture
    if architecture["encoding"] == "none":
        return ends
    intervals = resolutions(architecture["members"], architecture["encoding_size"])[member]
    knots = torch.arange(-1, intervals + 2, dtype=torch.float64) / intervals * 2 - 1
    return torch.cat([ends, knots[(knots > ends[0]) & (knots < ends[1])]]).unique()


def _with_crossings(network: Regressor, u: torch.Tensor, member: int, depth: int) -> torch.Tensor:
    """`u` (n,) sorted, and between its points those where a unit of layer `depth` of one member crosses zero."""
    hidden = network.encode(u)
    for layer in network.layers[:depth]:
        hidden = network.activate(layer(hidden))
    values = network.layers[depth](hidden)[member]
    left, right = values[:-1], values[1:]
    interval, unit = ((left * right) < 0).nonzero(as_tuple=True)
    share = left[interval, unit] / (left[interval, unit] - right[interval, unit])
    return torch.cat([u, u[interval] + share * (u[interval + 1] - u[interval])]).unique()


def _kinks(network: Regressor, u: torch.Tensor) -> torch.Tensor:
    """The inner points of `u` at which the slope really changes; points closer than rounding allows count as one."""
    u = u[torch.cat([torch.tensor([True]), u.diff() > 1e-9])]
    slopes = (network.mixture @ network.scaled_candidates(u)).diff() / u.diff()
    return u[1:-1][slopes.diff().abs() > 1e-6 * slopes.abs().max()]
