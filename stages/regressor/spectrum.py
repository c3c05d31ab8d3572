"""How wavy the points are: a Fourier basis whose weights are expected to fall off with frequency as the data ask for.

A curve drawn as a weighted sum of sines and cosines, each weight normal with a variance that falls off with its
frequency, is a Gaussian process. The fall-off's scale, the curve's size and the noise's are those under which the
points are most likely (the evidence; MacKay 1992). The basis is then turned to its principal components over the
points: each one input of unit mean square, each with the size that its weight should have. Where a raw basis takes
gradient descent thousands of steps, these inputs do not disturb each other.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PADDING = 1.5  # the basis repeats itself after this many ranges of x, so that its two ends need not meet
LINE_VARIANCE = 10.0  # of the slope of x itself, where all frequencies together have 1
SCALES = torch.logspace(-2.5, 0.5, 31, dtype=torch.float64)  # tried lengths, in half ranges of x
RATIOS = torch.logspace(-3, 6, 28, dtype=torch.float64)  # tried variances of the curve over that of the noise
LEAST_GAIN = 0.1  # components whose expected variance over all points is less, in units of the noise's, are left out


@dataclass(frozen=True)
class Spectrum:
    """A basis fitted to points: `projection` (1 + 2 size, r), the components' expected weights `prior` (r,), `noise`,
    the noise's standard deviation. All float64, in units of y's standard deviation."""

    projection: Tensor
    prior: Tensor
    noise: float


def fourier_basis(u: Tensor, size: int) -> Tensor:
    """u (n,) in -1 … 1 to x itself, `size` sines and `size` cosines (n, 1 + 2 size), float64."""
    phase = u.double()[:, None] * frequencies(size)
    return torch.cat([u.double()[:, None], phase.sin(), phase.cos()], dim=1)


def frequencies(size: int) -> Tensor:
    """Angular frequencies (size,) of the basis, per unit of u."""
    first = torch.tensor(math.pi / PADDING, dtype=torch.float64)  # a bare number would be float32 in an ONNX file
    return torch.arange(1, size + 1, dtype=torch.float64) * first


def variances(kind: str, scale: Tensor, size: int) -> Tensor:
    """Expected variances (1 + 2 size,) of the basis' weights, all frequencies together 1.

    `smooth` is the spectral density of the squared exponential kernel, `rough` that of the Matérn kernel with ν = 3/2
    (Rasmussen & Williams 2006, equations 4.11 and 4.15, up to factors).
    """
    squares = (frequencies(size) * scale).square()
    density = torch.exp(-squares / 2) if kind == "smooth" else (1 + squares / 3).pow(-2)
    density = density / density.sum()
    return torch.cat([torch.tensor([LINE_VARIANCE], dtype=torch.float64), density, density])


def fit_spectrum(kind: str, u: Tensor, y: Tensor, size: int) -> Spectrum:
    """The most likely spectrum of points u (n,) in -1 … 1, y (n,) float64 of mean 0."""
    basis = fourier_basis(u, size)
    gram, products, n = basis.T @ basis, basis.T @ y, len(y)
    best = (-math.inf,)
    for scale in SCALES:
        roots = variances(kind, scale, size).sqrt()
        values, vectors = torch.linalg.eigh(gram * roots[:, None] * roots)
        values, coefficients = values.clamp_min(0), vectors.T @ (roots * products)
        gains = 1 + RATIOS[:, None] * values
        noise = (y @ y - (RATIOS[:, None] * coefficients.square() / gains).sum(1)).clamp_min(1e-9 * n) / n
        evidence = -0.5 * (n * noise.log() + gains.log().sum(1))
        top = int(evidence.argmax())
        best = max(best, (float(evidence[top]), roots, values, vectors, RATIOS[top], noise[top]), key=lambda b: b[0])
    _, roots, values, vectors, ratio, noise = best
    kept = (values * ratio > LEAST_GAIN).nonzero()[:, 0].flip(0)
    spread = (values[kept] / n).sqrt()
    projection = roots[:, None] * vectors[:, kept] / spread
    return Spectrum(projection, (ratio * noise).sqrt() * spread, float(noise.sqrt()))
