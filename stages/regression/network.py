"""Linear layers with an activation between them, and an ensemble of such networks trained as one batched tensor.

Raw inputs learn low frequencies first and may never reach the high ones (spectral bias, Rahaman et al. 2019), so x may
pass an encoding before the first layer: a Fourier basis, or hat functions, with which the whole network stays
piecewise linear. The members of an ensemble see the encoding at different resolutions; held-out points weigh them.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

PIECEWISE_LINEAR = ("leaky_relu", "relu", "identity")
PADDING = 1.1  # the Fourier basis repeats itself this much beyond the data's range, so the two ends need not meet


class MemberLinear(nn.Module):
    """One linear layer for each of `members` networks: (members or 1, n, inputs) to (members, n, outputs).

    Starts as `nn.Linear` does, uniform in ±1/√inputs, each member with draws of its own. `seen` (members, inputs) is 0
    where a member does not see an input.
    """

    def __init__(self, members: int, inputs: int, outputs: int, generator: torch.Generator, seen: Tensor | None = None):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound, generator=generator))
        self.register_buffer("seen", None if seen is None else seen[:, :, None], persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        weight = self.weight if self.seen is None else self.weight * self.seen
        return torch.baddbmm(self.bias, inputs.expand(len(weight), -1, -1), weight)


class Regressor(nn.Module):
    """x (n,) to y (n,), both float64 in the data's own units: a weighted mean of the members and a straight line.

    `architecture` holds all that is needed to build it again: `encoding`, `encoding_size`, `shortcut`,
    `hidden_layers`, `activation`, `negative_slope`, `members`. What was learned beside the weights (ranges, scales,
    the mixture, the band) is kept in buffers.
    """

    def __init__(self, architecture: dict, generator: torch.Generator | None = None):
        super().__init__()
        self.architecture = architecture
        generator = generator or torch.Generator()
        members = architecture["members"]
        for name, value in {"x_low": 0, "x_high": 1, "y_mean": 0, "y_std": 1, "half_band": math.inf}.items():
            self.register_buffer(name, torch.tensor(float(value), dtype=torch.float64))
        self.register_buffer("line", torch.zeros(2, dtype=torch.float64))  # intercept and slope, in scaled units
        mixture = torch.full((1 + members,), 1 / members, dtype=torch.float64)
        mixture[0] = 0  # the line's weight, then the members'
        self.register_buffer("mixture", mixture)
        widths = [self.inputs(), *architecture["hidden_layers"], 1]
        self.layers = nn.ModuleList(
            MemberLinear(members, before, after, generator, self.seen_inputs() if layer == 0 else None)
            for layer, (before, after) in enumerate(pairwise(widths))
        )
        self.shortcut = None
        if architecture["shortcut"]:
            self.shortcut = MemberLinear(members, widths[0], 1, generator, self.seen_inputs())
            nn.init.zeros_(self.shortcut.weight)
            nn.init.zeros_(self.shortcut.bias)

    def inputs(self) -> int:
        """Width of what the first linear layer sees."""
        size = self.architecture["encoding_size"]
        return {"none": 1, "hat": 2 + size, "fourier": 1 + 2 * size}[self.architecture["encoding"]]

    def seen_inputs(self) -> Tensor | None:
        """1 for each input that a member sees and 0 for the others (members, inputs); None where all see all."""
        if self.architecture["encoding"] != "fourier":
            return None
        members, size = self.architecture["members"], self.architecture["encoding_size"]
        seen = torch.arange(1, size + 1) <= torch.tensor(resolutions(members, size))[:, None]
        return torch.cat([torch.ones(members, 1), seen, seen], dim=1)

    def fit_scale(self, x: Tensor, y: Tensor) -> None:
        """Take the range of x, the scale of y and the least-squares line from the training data."""
        self.x_low.copy_(x.min())
        self.x_high.copy_(x.max())
        self.y_mean.copy_(y.mean())
        spread = y.std()
        self.y_std.copy_(spread if spread > 0 else torch.ones(()))
        design = torch.stack([torch.ones_like(x), self.scale_x(x)], dim=1)
        self.line.copy_(torch.linalg.lstsq(design, (y - self.y_mean) / self.y_std).solution)

    def scale_x(self, x: Tensor) -> Tensor:
        """The training range brought to -1 … 1."""
        return 2 * (x - self.x_low) / (self.x_high - self.x_low) - 1

    def encode(self, u: Tensor) -> Tensor:
        """What the first layer sees of u (n,), x scaled to -1 … 1: (1, n, inputs), for hats (members, n, inputs)."""
        members, size = self.architecture["members"], self.architecture["encoding_size"]
        u = u.to(self.layers[0].weight.dtype)[None, :, None]
        match self.architecture["encoding"]:
            case "fourier":
                phase = u * torch.arange(1, size + 1) * (math.pi / PADDING)
                return torch.cat([u, phase.sin(), phase.cos()], dim=2)
            case "hat":
                intervals = torch.tensor(resolutions(members, size))[:, None, None]
                hats = (1 - ((u + 1) / 2 * intervals - torch.arange(size + 1)).abs()).clamp(min=0)
                return torch.cat([u.expand(members, -1, 1), hats], dim=2)
        return u

    def activate(self, hidden: Tensor) -> Tensor:
        match self.architecture["activation"]:
            case "leaky_relu":
                return nn.functional.leaky_relu(hidden, self.architecture["negative_slope"])
            case "identity":
                return hidden
        return getattr(torch, self.architecture["activation"])(hidden)

    def member_outputs(self, u: Tensor) -> Tensor:
        """Each member's output (members, n) in units of y's standard deviation, for scaled x (n,)."""
        encoded = hidden = self.encode(u)
        for layer in self.layers[:-1]:
            hidden = self.activate(layer(hidden))
        output = self.layers[-1](hidden)
        if self.shortcut is not None:
            output = output + self.shortcut(encoded)
        return output[:, :, 0]

    def candidates(self, x: Tensor) -> Tensor:
        """The straight line and each member (1 + members, n), float64, in units of y's standard deviation."""
        return self.scaled_candidates(self.scale_x(x))

    def scaled_candidates(self, u: Tensor) -> Tensor:
        """The same for x already scaled."""
        line = self.line[0] + self.line[1] * u
        return torch.cat([line[None], self.member_outputs(u).to(torch.float64)])

    def forward(self, x: Tensor) -> Tensor:
        return self.mixture @ self.candidates(x) * self.y_std + self.y_mean

    def layer_sizes(self) -> list[tuple[str, int]]:
        """The real layers of a member, input first, as (name, width)."""
        a = self.architecture
        activation = f"LeakyReLU({a['negative_slope']:g})" if a["activation"] == "leaky_relu" else a["activation"]
        encoded = {
            "none": [],
            "fourier": [(f"x and {a['encoding_size']} Fourier frequencies", self.inputs())],
            "hat": [(f"x and {a['encoding_size'] + 1} hat functions", self.inputs())],
        }[a["encoding"]]
        hidden = [(f"linear + {activation}", width) for width in a["hidden_layers"]]
        return [("x", 1), *encoded, *hidden, ("linear + shortcut: y" if a["shortcut"] else "linear: y", 1)]


def resolutions(members: int, size: int) -> list[int]:
    """Highest frequency, or number of intervals between hats, that each member sees: evenly spaced square roots.

    The last member sees all of `size`. The frequency k makes k / PADDING half periods over half the range.
    """
    return [max(1, round(size * (rank / members) ** 2)) for rank in range(1, members + 1)]


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Regressor:
    """The network that `arrays_of` took apart."""
    network = Regressor(architecture)
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    return network.eval()


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
