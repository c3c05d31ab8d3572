"""Choose the amplitudes of the waves in the Fourier features, on held-out points, by ridge regression.

A network that sees all frequencies equally loud fits noise; one that sees few misses detail. The best weights of the
skip connection have a closed form, so every candidate is judged in milliseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.regressor.network import waves

SMOOTH = (0.01, 0.014, 0.02, 0.04, 0.08, 0.16, 0.35)  # lengths s of exp(-(ωs)²/2), in half ranges of x
ROUGH = (0.03, 0.1, 0.3, 1.0)  # of 1 / (1 + (ωs)²/3): slow fall-off, for curves with steps and corners
RIDGES = torch.tensor([10.0**k for k in (-8, -6.5, -5, -3.5, -2, -0.5, 1, 2.5, 4, 12)], dtype=torch.float64)
# noise² over the expected squared weight of all waves together; the last leaves a straight line alone
CHANCE = 10  # what waves must gain on a straight line, in mean squared errors: about so much is chance
FREE = 1e-6  # ridge of the straight line
QUIET = 1e-6  # waves of a smaller amplitude are left out of the comparison
LEAST_GAIN = 1.0  # components with a sum of squares below this share of the ridge are left out


@dataclass(frozen=True)
class Choice:
    """`mix` (2 + 2 frequencies, components) from waves to features, scaled so that the best weights are about 1.

    `noise` is the error on held-out points in the unit of y, `ridge` the penalty on squared weights beside a sum of
    squared errors.
    """

    mix: Tensor
    noise: float
    ridge: float


def choose_features(angular: Tensor, u: Tensor, y: Tensor, folds: Sequence[Tensor]) -> Choice:
    """Return the features of least squared error under cross-validation over `folds`, the numbers of their points.

    u and y are (n,) float64, angular the frequencies (k,). The waves' products are summed once for each fold; each
    candidate scales them.
    """
    inputs = waves(u, angular)
    grams = torch.stack([inputs[fold].T @ inputs[fold] for fold in folds])
    products = torch.stack([inputs[fold].T @ y[fold] for fold in folds])
    best = (math.inf, 1.0, torch.ones(inputs.shape[1]))
    for amplitude in candidates(angular):
        loud = amplitude > QUIET * amplitude.max()
        scale, gram_of, product_of = amplitude[loud], grams[:, loud][:, :, loud], products[:, loud]
        penalties = RIDGES[:, None].repeat(1, len(scale))
        penalties[:, :2] = FREE
        errors = y @ y
        for gram, product in zip(gram_of, product_of, strict=True):
            seen = scale[:, None] * (gram_of.sum(0) - gram) * scale
            right = (scale * (product_of.sum(0) - product))[:, None].expand(len(RIDGES), -1, 1)
            factor = torch.linalg.cholesky(seen + penalties.diag_embed())
            weights = scale * torch.cholesky_solve(right, factor)[:, :, 0]
            errors = errors + ((weights @ gram) * weights).sum(1) - 2 * weights @ product
        errors[-1] *= max(1 - CHANCE / len(u), 0)
        least = int(errors.argmin())
        best = min(best, (errors[least].item(), RIDGES[least].item(), amplitude), key=lambda entry: entry[0])
    error, ridge, amplitude = best
    mix, weights = principal_components(grams.sum(0), products.sum(0), amplitude[2:], ridge)
    size = max(weights.square().mean().sqrt().item(), 1e-9)
    return Choice(mix * size, math.sqrt(max(error, 0.0) / len(u)), ridge * size**2)


def candidates(angular: Tensor) -> list[Tensor]:
    """Return the amplitudes (2 + 2k,) to choose from: 1 for the straight line, a sum of squares of 2 for the waves."""
    shapes = [torch.exp(-((angular * s) ** 2) / 2) for s in SMOOTH] + [1 / (1 + (angular * s) ** 2 / 3) for s in ROUGH]
    line = torch.ones(2, dtype=torch.float64)
    return [torch.cat([line, shape / shape.norm(), shape / shape.norm()]) for shape in shapes]


def principal_components(gram: Tensor, product: Tensor, amplitude: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Rotate the scaled waves to uncorrelated features, the largest first, so that one learning rate suits all weights.

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
