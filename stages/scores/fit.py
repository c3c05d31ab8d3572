"""How good the fit is, and what it is made of."""

import math

import numpy as np
import torch

from stages.curve.points import OUTLIER_SCALE
from stages.regressor.network import FOURIER, PIECEWISE_LINEAR, Group, Regressor

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
    curved = any(group.encoding in FOURIER for group in network.groups)
    if curved or network.architecture["activation"] not in PIECEWISE_LINEAR:
        return None
    network = _in_float64(network)
    ends = network.scale_x(torch.tensor([x_low, x_high], dtype=torch.float64))
    points = [ends]
    for group in network.groups:
        for member in range(network.architecture["members"]):
            u = _with_knots(group, ends)
            if group.activation != "identity":
                for depth in range(len(group.layers) - 1):
                    u = _with_crossings(group, u, member, depth)
            points.append(u)
    kinks = _kinks(network, torch.cat(points).unique())
    return ((kinks + 1) / 2 * (network.x_high - network.x_low) + network.x_low).numpy()


def linear_pieces(network: Regressor, x_low: float, x_high: float) -> int | None:
    """Number of straight pieces of the fitted function over [x_low, x_high]; None if it is not piecewise linear."""
    kinks = breakpoints(network, x_low, x_high)
    return None if kinks is None else len(kinks) + 1


@torch.no_grad()
def dead_units(network: Regressor, x: np.ndarray) -> int:
    """Hidden units, of all members, whose activation has slope zero at every one of the points x (n,)."""
    u = network.scale_x(torch.from_numpy(np.array(x, dtype=np.float64)))
    return sum(_dead_units(group, u) for group in network.groups)


def _dead_units(group: Group, u: torch.Tensor) -> int:
    slope = group.negative_slope if group.activation == "leaky_relu" else 0.0
    dead, hidden = 0, group.encode(u)
    for layer in group.layers[:-1]:
        before = layer(hidden)
        hidden = group.activate(before)
        match group.activation:
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


def _with_knots(group: Group, ends: torch.Tensor) -> torch.Tensor:
    """The two ends and, sorted between them, where the hats of a group have their corners; in scaled x."""
    if group.encoding != "hat":
        return ends
    knots = torch.arange(-1, group.resolution + 2, dtype=torch.float64) / group.resolution * 2 - 1
    return torch.cat([ends, knots[(knots > ends[0]) & (knots < ends[1])]]).unique()


def _with_crossings(group: Group, u: torch.Tensor, member: int, depth: int) -> torch.Tensor:
    """`u` (n,) sorted, and between its points those where a unit of layer `depth` of one member crosses zero."""
    hidden = group.encode(u)
    for layer in group.layers[:depth]:
        hidden = group.activate(layer(hidden))
    values = group.layers[depth](hidden)[member]
    left, right = values[:-1], values[1:]
    interval, unit = ((left * right) < 0).nonzero(as_tuple=True)
    share = left[interval, unit] / (left[interval, unit] - right[interval, unit])
    return torch.cat([u, u[interval] + share * (u[interval + 1] - u[interval])]).unique()


def _kinks(network: Regressor, u: torch.Tensor) -> torch.Tensor:
    """The inner points of `u` at which the slope really changes; points closer than rounding allows count as one."""
    u = u[torch.cat([torch.tensor([True]), u.diff() > 1e-9])]
    slopes = (network.mixture @ network.scaled_candidates(u)).diff() / u.diff()
    return u[1:-1][slopes.diff().abs() > 1e-6 * slopes.abs().max()]
