"""The straight line that a fit is judged against."""

import numpy as np


def straight_line(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the least-squares line through the points x, y (n,) at other x (m,)."""
    slope = np.cov(x, y)[0, 1] / x.var(ddof=1)
    return y.mean() + slope * (at - x.mean())


def linear_baseline_mae(x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray) -> float:
    """Return the mean absolute error on the test points of the least-squares line through the training points."""
    return float(np.abs(test_y - straight_line(x, y, test_x)).mean())
