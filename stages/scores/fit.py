"""What a fit is judged against: the noise floor and the straight line."""

import math

import numpy as np

from stages.curve.points import OUTLIER_SCALE


def noise_floor_mae(noise_std: float, outlier_fraction: float = 0) -> float:
    """Return the mean absolute error of the true curve itself, std · √(2/π) under normal noise.

    No prediction can be better. The noise of a share `outlier_fraction` is `OUTLIER_SCALE` times as large.
    """
    return noise_std * math.sqrt(2 / math.pi) * (1 + outlier_fraction * (OUTLIER_SCALE - 1))


def straight_line(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the least-squares line through the points x, y (n,) at other x (m,)."""
    slope = np.cov(x, y)[0, 1] / x.var(ddof=1)
    return y.mean() + slope * (at - x.mean())


def linear_baseline_mae(x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray) -> float:
    """Return the mean absolute error on the test points of the least-squares line through the training points."""
    return float(np.abs(test_y - straight_line(x, y, test_x)).mean())
