"""The 90 % band around the fit, from the residuals of points that the fit has not seen."""

import numpy as np
import torch
from torch import Tensor

from stages.regressor.network import Regressor

BAND_LEVEL = 0.9
BAND_KNOTS, BAND_WINDOW = 41, 50  # places in x where the band is measured, and residuals at each, at least


def fit_band(network: Regressor, u: Tensor, residual: Tensor) -> None:
    """Set the band from the residuals (n,), at scaled u (n,), of points that the fit has not seen.

    At each knot its bounds are quantiles of the residuals of the nearest points, so that the band follows the noise and
    its skew: split conformal prediction (Lei et al. 2018), localised in x. The rank (n + 1)·p makes the coverage exact
    for new points of equal noise.
    """
    knots = u.quantile(torch.linspace(0, 1, BAND_KNOTS, dtype=torch.float64))
    window = min(max(BAND_WINDOW, len(u) // 20), len(u))
    tails = (1 - BAND_LEVEL) / 2, (1 + BAND_LEVEL) / 2
    for index, knot in enumerate(knots):
        nearest = residual[(u - knot).abs().argsort(stable=True)[:window]]
        network.band[:, index] = torch.from_numpy(np.quantile(nearest.numpy(), tails, method="weibull"))
    network.band_knots.copy_(knots)
