"""The network that learns the curve: Fourier features of x, linear layers with an activation, a linear skip connection.

Raw x lets a network learn low frequencies first and high ones hardly at all (spectral bias, Rahaman et al. 2019). So
with `encoding: fourier` the network sees sines and cosines of x (Tancik et al. 2020); with `encoding: none`, x itself.
"""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from stages.common.network_weights import filled

PERIOD = 1.5  # of the slowest sine, in ranges of x: more than one, so that the two ends of the curve need not meet


class FourierFeatures(nn.Module):
    """Map u (n,), the training range scaled to -1 … 1, to features (n, 1 + components): u, and combinations of waves.

    The waves are sines and cosines of u. `mix` scales them by an amplitude that falls with the frequency and rotates
    them to their principal components over the training points, so that weights do not disturb each other; see
    `feature_amplitudes.py`. Beyond the training range the waves keep their last value: the fit goes on straight.
    """

    def __init__(self, frequencies: int, components: int):
        super().__init__()
        self.register_buffer("angular", angular_frequencies(frequencies))
        self.register_buffer("mix", torch.zeros(2 + 2 * frequencies, components, dtype=torch.float64))

    def forward(self, u: Tensor) -> Tensor:
        return torch.cat([u[:, None], waves(u, self.angular) @ self.mix], dim=1)


def angular_frequencies(frequencies: int) -> Tensor:
    """Return the angular frequencies (frequencies,) per unit of u, float64."""
    return torch.arange(1, frequencies + 1, dtype=torch.float64) * math.pi / PERIOD


def waves(u: Tensor, angular: Tensor) -> Tensor:
    """Return 1, u, and the sines and cosines of u (n,), kept in -1 … 1, at angular frequencies (k,): (n, 2 + 2k)."""
    u = u.clamp(-1, 1)[:, None]
    return torch.cat([torch.ones_like(u), u, (u * angular).sin(), (u * angular).cos()], dim=1)


class Linear(nn.Module):
    """A linear layer of every network of the ensemble: (members, n, inputs) to (members, n, outputs) in one product."""

    def __init__(self, members: int, inputs: int, outputs: int):
        super().__init__()
        reach = inputs**-0.5  # of the first weights, as in torch.nn.Linear
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-reach, reach))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden @ self.weight + self.bias


class Network(nn.Module):
    """Map features to y (members, n) on two paths: linear layers with an activation, and a linear skip connection.

    The features are (n, inputs), the same for every member, or (members, n, inputs). Each path learns y by itself; then
    y is (1 - gate) · skip + gate · layers, with the gate, from 0 to 1, that suits held-out points best. With one
    feature, x itself, there is no skip connection: this is the plain network.
    """

    def __init__(self, members: int, inputs: int, hidden_layers: list[int], activation: str, negative_slope: float):
        super().__init__()
        widths, layers = [inputs, *hidden_layers], []
        for before, after in pairwise(widths):
            layers += [Linear(members, before, after), new_activation(activation, negative_slope)]
        self.layers = nn.Sequential(*layers, Linear(members, widths[-1], 1))
        self.skip = Linear(members, inputs, 1) if inputs > 1 else None
        self.register_buffer("gate", torch.tensor(0.0 if self.skip else 1.0))
        if self.skip:  # start from y = 0, and the layers as the plain network: at random weights waves are a tangle
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)
            nn.init.zeros_(self.layers[0].weight[:, 1:])

    def paths(self, features: Tensor) -> Tensor:
        """Return y of the skip connection, if there is one, and of the layers: (paths, members, n)."""
        return torch.stack([path(features)[..., 0] for path in (self.skip, self.layers) if path])

    def blend(self, paths: Tensor) -> Tensor:
        """Return y (members, n) from that of each path."""
        return paths[0] + self.gate * (paths[-1] - paths[0])

    def forward(self, features: Tensor) -> Tensor:
        return self.blend(self.paths(features))


def new_activation(name: str, negative_slope: float) -> nn.Module:
    """Return the activation `name` of params.yaml."""
    if name == "leaky_relu":
        return nn.LeakyReLU(negative_slope)
    return {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "identity": nn.Identity}[name]()


class Regressor(nn.Module):
    """Map x (n,) to y and the bounds of its 90 % band, each (n,), float64 in the data's own units.

    y is the mean of `ensemble_size` networks. `architecture` holds all that is needed to build it again; what training
    measures besides the weights (scales, mix, band) lies in buffers. Without `components` the networks see x itself.
    """

    def __init__(self, architecture: dict):
        super().__init__()
        self.architecture = a = architecture
        self.features = FourierFeatures(a["frequencies"], a["components"]) if a["components"] else None
        inputs = 1 + a["components"]
        self.network = Network(a["ensemble_size"], inputs, a["hidden_layers"], a["activation"], a["negative_slope"])
        for name in ("x_low", "x_high", "x_centre", "x_scale", "y_centre", "y_scale"):
            self.register_buffer(name, torch.tensor(float(name.endswith("scale")), dtype=torch.float64))
        knots = torch.linspace(-1, 1, a["band_knots"], dtype=torch.float64)
        self.register_buffer("band_knots", knots)  # scaled x
        self.register_buffer("band", torch.zeros(2, len(knots), dtype=torch.float64))  # of the residual y - fit

    def scale_x(self, x: Tensor) -> Tensor:
        """Scale x (n,) float64, or its logarithm, so that the training range (x_low … x_high) is -1 … 1."""
        return ((x.log() if self.architecture["log_x"] else x) - self.x_centre) / self.x_scale

    def encode(self, u: Tensor) -> Tensor:
        """Return what the networks see of the scaled u (n,) float64: features (n, inputs)."""
        features = u[:, None] if self.features is None else self.features(u)
        return features.to(self.network.layers[-1].weight.dtype)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u = self.scale_x(x)
        mean = self.network(self.encode(u)).to(torch.float64).mean(dim=0)
        y = mean * self.y_scale + self.y_centre
        return y, y + interpolate(u, self.band_knots, self.band[0]), y + interpolate(u, self.band_knots, self.band[1])


def interpolate(u: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Interpolate linearly at u (n,) between `values` (k,) at sorted `knots` (k,); constant beyond the outermost."""
    right = (u[:, None] > knots).sum(dim=1).clamp(1, len(knots) - 1)
    width = (knots[right] - knots[right - 1]).clamp_min(1e-12)  # knots coincide where x repeats
    share = ((u - knots[right - 1]) / width).clamp(0, 1)
    return values[right - 1] + share * (values[right] - values[right - 1])


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Regressor:
    """Build the regressor from what `arrays_of` returned; raise `InputError` if the two do not fit."""

    def call(network: Regressor) -> None:
        network(torch.ones(2, dtype=torch.float64))

    return filled(lambda: Regressor(architecture), arrays, call, "regressor").eval()


def arrays_of(network: Regressor) -> dict[str, np.ndarray]:
    """Return the weights (float32) and buffers (float64) by name."""
    return {name: tensor.contiguous().numpy() for name, tensor in network.state_dict().items()}


def predict(network: Regressor, x: np.ndarray, chunk: int = 16384) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fitted curve at x (n,) and the bounds of its 90 % predictive band: y, lower, upper (n,), float64."""
    x = torch.from_numpy(np.array(x, dtype=np.float64))  # a copy: pandas hands out read-only arrays
    with torch.no_grad():
        parts = [network(part) for part in x.split(chunk)]
    y, lower, upper = (torch.cat(values).numpy() for values in zip(*parts, strict=True))
    return y, lower, upper
