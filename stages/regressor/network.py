"""Linear layers with an activation between them, and ensembles of such networks trained as batched tensors.

Raw inputs learn low frequencies first and may never reach the high ones (spectral bias, Rahaman et al. 2019), so x may
pass an encoding before the first layer: a Fourier basis (stages/regression/spectrum.py), or hat functions, with which
the whole network stays piecewise linear. Networks of several encodings are trained; held-out points weigh them.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from stages.common.network_weights import filled
from stages.regressor.spectrum import fourier_basis

PIECEWISE_LINEAR = ("leaky_relu", "relu", "identity")
FOURIER = ("smooth", "rough")
FIRST_GAIN = 1.7  # the first layer's outputs start with a variance of about 1


class MemberLinear(nn.Module):
    """One linear layer for each of `members` networks: (n, inputs) or (members, n, inputs) to (members, n, outputs).

    Starts as `nn.Linear` does, uniform in ±1/√inputs, each member with draws of its own. `scale` (inputs, 1) multiplies
    the weights, so that Adam's steps, of equal size for each of them, are larger where larger weights are expected.
    """

    def __init__(self, members: int, inputs: int, outputs: int, generator: torch.Generator, scaled: bool = False):
        super().__init__()
        bound = 1 if scaled else 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound, generator=generator))
        if scaled:
            self.register_buffer("scale", torch.ones(inputs, 1))
        else:
            self.scale = None

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, inputs.expand(len(self.weight), -1, -1), self.scaled_weight())

    def scaled_weight(self) -> Tensor:
        return self.weight if self.scale is None else self.weight * self.scale


class Group(nn.Module):
    """`members` networks that see x in the same way; `group` is an entry of the architecture's `groups`."""

    def __init__(self, group: dict, architecture: dict, generator: torch.Generator):
        super().__init__()
        self.encoding, self.resolution = group["encoding"], group["resolution"]
        self.activation, self.negative_slope = architecture["activation"], architecture["negative_slope"]
        members, inputs = architecture["members"], group["inputs"]
        if self.encoding == "hat" and inputs != self.resolution + 2:
            raise ValueError(f"{inputs} inputs are not x and {self.resolution + 1} hat functions")
        if self.encoding in FOURIER:
            self.register_buffer("projection", torch.zeros(1 + 2 * self.resolution, inputs, dtype=torch.float64))
        self.register_buffer("prior", torch.ones(inputs, 1))  # expected size of the shortcut's weights
        widths = [inputs, *architecture["hidden_layers"], 1]
        self.layers = nn.ModuleList(
            MemberLinear(members, before, after, generator, scaled=layer == 0)
            for layer, (before, after) in enumerate(pairwise(widths))
        )
        self.shortcut = None
        if architecture["shortcut"]:
            self.shortcut = MemberLinear(members, inputs, 1, generator, scaled=True)
            last = [self.layers[-1]] if self.encoding in FOURIER else []
            for layer in [self.shortcut, *last]:  # at first the stacked layers add nothing to what is seen directly
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def fit_prior(self, projection: Tensor, prior: Tensor) -> None:
        """Take the principal components of the basis and the sizes expected of their weights, float64."""
        self.projection.copy_(projection)
        self.prior.copy_(prior[:, None])
        self.layers[0].scale.copy_(FIRST_GAIN * self.prior / self.prior.norm())
        if self.shortcut is not None:
            self.shortcut.scale.copy_(self.prior.sqrt())

    def encode(self, u: Tensor) -> Tensor:
        """What the first layer sees of u (n,), x scaled to -1 … 1: (n, inputs)."""
        dtype = self.layers[0].weight.dtype
        if self.encoding in FOURIER:
            return (fourier_basis(u, self.resolution) @ self.projection).to(dtype)
        u = u.to(dtype)[:, None]
        if self.encoding == "hat":
            knots = torch.arange(self.resolution + 1)
            return torch.cat([u, (1 - ((u + 1) / 2 * self.resolution - knots).abs()).clamp(min=0)], dim=1)
        return u

    def activate(self, hidden: Tensor) -> Tensor:
        match self.activation:
            case "leaky_relu":
                return nn.functional.leaky_relu(hidden, self.negative_slope)
            case "identity":
                return hidden
        return getattr(torch, self.activation)(hidden)

    def forward(self, encoded: Tensor) -> Tensor:
        """Each member's output (members, n) in units of y's standard deviation, for encoded x (n, inputs)."""
        hidden = encoded
        for layer in self.layers[:-1]:
            hidden = self.activate(layer(hidden))
        output = self.layers[-1](hidden)
        if self.shortcut is not None:
            output = output + self.shortcut(encoded)
        return output[:, :, 0]


class Regressor(nn.Module):
    """x (n,) to y (n,), both float64 in the data's own units: a weighted mean of a straight line and network groups.

    `architecture` holds all that is needed to build it again: `groups` (each with `encoding`, `resolution`, `inputs`),
    `members`, `shortcut`, `hidden_layers`, `activation`, `negative_slope`. What was learned beside the weights (ranges,
    scales, the mixture, the band) is kept in buffers.
    """

    def __init__(self, architecture: dict, generator: torch.Generator | None = None):
        super().__init__()
        self.architecture = architecture
        generator = generator or torch.Generator()
        for name, value in {"x_low": 0, "x_high": 1, "y_mean": 0, "y_std": 1, "half_band": math.inf}.items():
            self.register_buffer(name, torch.tensor(float(value), dtype=torch.float64))
        self.register_buffer("line", torch.zeros(2, dtype=torch.float64))  # intercept and slope, in scaled units
        self.groups = nn.ModuleList(Group(group, architecture, generator) for group in architecture["groups"])
        mixture = torch.full((1 + len(self.groups),), 1 / len(self.groups), dtype=torch.float64)
        mixture[0] = 0  # the line's weight, then the groups'
        self.register_buffer("mixture", mixture)

    def fit_scale(self, x: Tensor, y: Tensor) -> None:
        """Take the range of x, the scale of y and the least-squares line from the training data."""
        self.x_low.copy_(x.min())
        self.x_high.copy_(x.max())
        self.y_mean.copy_(y.mean())
        spread = y.std()
        self.y_std.copy_(spread if spread > 0 else torch.ones(()))
        self.line.copy_(least_squares_line(self.scale_x(x), (y - self.y_mean) / self.y_std))

    def scale_x(self, x: Tensor) -> Tensor:
        """The training range brought to -1 … 1."""
        return unit_range(x, self.x_low, self.x_high)

    def candidates(self, x: Tensor) -> Tensor:
        """The straight line and each group's mean (1 + groups, n), float64, in units of y's standard deviation."""
        return self.scaled_candidates(self.scale_x(x))

    def scaled_candidates(self, u: Tensor) -> Tensor:
        """The same for x already scaled."""
        means = [group(group.encode(u)).to(torch.float64).mean(dim=0) for group in self.groups]
        return torch.stack([self.line[0] + self.line[1] * u, *means])

    def forward(self, x: Tensor) -> Tensor:
        return self.mixture @ self.candidates(x) * self.y_std + self.y_mean

    def layer_sizes(self) -> list[tuple[str, int]]:
        """The real layers of a network of the first group, input first, as (name, width)."""
        a, first = self.architecture, self.groups[0]
        activation = f"LeakyReLU({a['negative_slope']:g})" if a["activation"] == "leaky_relu" else a["activation"]
        size = first.resolution
        names = {"raw": None, "hat": f"x and {size + 1} hat functions"}
        encoded = names.get(first.encoding, f"components of {size} Fourier frequencies")
        hidden = [(f"linear + {activation}", width) for width in a["hidden_layers"]]
        seen = [(encoded, a["groups"][0]["inputs"])] if encoded else []
        return [("x", 1), *seen, *hidden, ("linear + shortcut: y" if a["shortcut"] else "linear: y", 1)]


def unit_range(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """x with low … high brought to -1 … 1."""
    return 2 * (x - low) / (high - low) - 1


def least_squares_line(u: Tensor, y: Tensor) -> Tensor:
    """Intercept and slope of the straight line through points u, y (n,), float64.

    In closed form: the last bits of `torch.linalg.lstsq` vary from call to call, with what memory held before.
    """
    centred = u - u.mean()
    slope = (centred * (y - y.mean())).sum() / centred.square().sum()
    return torch.stack([y.mean() - slope * u.mean(), slope])


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Regressor:
    """The network that `arrays_of` took apart. Raises `InputError` if the two do not fit."""

    def call(network: Regressor) -> Tensor:
        return network(torch.zeros(2, dtype=torch.float64))

    return filled(lambda: Regressor(architecture), arrays, call, "regressor").eval()


def arrays_of(network: Regressor) -> dict[str, np.ndarray]:
    """The network's weights (float32) and buffers (float64) by name."""
    return {name: tensor.contiguous().numpy() for name, tensor in network.state_dict().items()}


def predict(network: Regressor, x: Sequence[float] | np.ndarray, chunk: int = 16384) -> tuple[np.ndarray, ...]:
    """The fitted curve at x (n,), and the bounds of its 90 % predictive band: y, lower, upper (n,), float64."""
    x = torch.from_numpy(np.array(x, dtype=np.float64))  # a copy: pandas hands out read-only arrays
    with torch.no_grad():
        y = torch.cat([network(part) for part in x.split(chunk)]).numpy() if len(x) else np.empty(0)
    half_band = float(network.half_band)
    return y, y - half_band, y + half_band
