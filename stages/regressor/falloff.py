"""Choose how fast the Fourier features fall off with frequency, on held-out points, by ridge regression.

A network that sees all frequencies equally loud fits noise; one that sees few misses detail. For the linear part of the
network the best weights have a closed form, so every candidate is judged in milliseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.regressor.network import waves

SMOOTH = (0.01, 0.014, 0.02, 0.04, 0.08, 0.16, 0.35)  # lengths s of exp(-(ωs)²/2), in half ranges of x
ROUGH = (0.03, 0.1, 0.3, 1.0)  # of 1 / (1 + (ωs)²/3): slow fall-off, for curves with steps and corners
RIDGES = torch.logspace(-8, 4, 9, dtype=torch.float64)  # noise² over the expected squared weight of all waves together
FREE = 1e-6  # ridge of the straight line
QUIET = 1e-6  # waves of a smaller amplitude are left out of the comparison
LEAST_GAIN = 1.0  # components with a sum of squares below this share of the ridge are left out


@dataclass(frozen=True)
class FallOff:
    """`mix` (2 + 2 frequencies, components) of the features, scaled so that the best weights have a mean square of 1.

    `noise` is the error on held-out points in the unit of y, `ridge` the penalty on squared weights beside a sum of
    squared errors.
    """

    mix: Tensor
    noise: float
    ridge: float


def choose_falloff(angular: Tensor, u: Tensor, y: Tensor, folds: Sequence[Tensor]) -> FallOff:
    """Return the fall-off of least squared error under cross-validation over `folds`, the numbers of their points.

    u and y are (n,) float64, angular the frequencies (k,). The waves' products are summed once for each fold; each
    candidate scales them.
    """
    inputs = waves(u, angular)
    parts = [(inputs[fold], y[fold]) for fold in folds]
    grams, products = torch.stack([a.T @ a for a, _ in parts]), torch.stack([a.T @ b for a, b in parts])
    free = torch.zeros(inputs.shape[1], dtype=torch.float64)
    free[:2] = 1  # the straight line
    penalties = RIDGES[:, None] * (1 - free) + FREE * free
    best = (math.inf, 1.0, free)
    for amplitude in candidates(angular):
        loud = amplitude > QUIET * amplitude.max()
        scale, gram_of, product_of = amplitude[loud], grams[:, loud][:, :, loud], products[:, loud]
        error = y @ y
        for gram, product in zip(gram_of, product_of, strict=True):
            seen = scale[:, None] * (gram_of.sum(0) - gram) * scale
            right = (scale * (product_of.sum(0) - product))[:, None].expand(len(RIDGES), -1, 1)
            penalised = seen + penalties[:, loud].diag_embed()
            weights = scale * torch.cholesky_solve(right, torch.linalg.cholesky(penalised))[:, :, 0]
            error = error + ((weights @ gram) * weights).sum(1) - 2 * weights @ product
        least = int(error.argmin())
        best = min(best, (error[least].item(), RIDGES[least].item(), amplitude), key=lambda entry: entry[0])
    error, ridge, amplitude = best
    noise = math.sqrt(max(error, 0.0) / len(u))
    mix, weights = principal_components(grams.sum(0), products.sum(0), amplitude[2:], ridge)
    size = max(weights.square().mean().sqrt().item(), 1e-9)
    return FallOff(mix * size, noise, ridge * size**2)


def candidates(angular: Tensor) -> list[Tensor]:
    """Return the amplitudes (2 + 2k,) to choose from: 1 for the straight line, a sum of squares of 2 for the waves."""
    shapes = [torch.exp(-((angular * s) ** 2) / 2) for s in SMOOTH] + [1 / (1 + (angular * s) ** 2 / 3) for s in ROUGH]
    line = torch.ones(2, dtype=torch.float64)
    return [torch.cat([line, shape / shape.norm(), shape / shape.norm()]) for shape in shapes]


def principal_components(gram: Tensor, product: Tensor, amplitude: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Rotate the scaled waves to uncorrelated features, the largest first.

    `gram` and `product` are those of the waves with each other and with y, summed over the points. What a straight line
    explains of a wave is taken from it, because the network has the line as a feature of its own. Returns the mix
    (2 + 2k, components) and the features' weights (components,) in the ridge regression.
    """
    line = torch.linalg.solve(gram[:2, :2], gram[:2, 2:] * amplitude)
    rest = amplitude[:, None] * gram[2:, 2:] * amplitude - line.T @ gram[:2, 2:] * amplitude
    values, vectors = torch.linalg.eigh(rest)
    components = max(int((values > LEAST_GAIN * ridge).sum()), 1)
    kept = vectors.flip(1)[:, :components]
    mix = torch.cat([-line @ kept, amplitude[:, None] * kept])
    return mix, mix.T @ product / (values.flip(0)[:components].clamp_min(0) + ridge)
