"""The scores of the fit, each against a case whose answer is known."""

import numpy as np
import pytest

from stages.scores.linear_baseline import linear_baseline_mae, straight_line


def test_the_straight_line_is_that_of_least_squares():
    x = np.arange(10.0) + 1.7e9
    y = np.random.default_rng(0).normal(size=10)
    slope, intercept = np.polyfit(x - 1.7e9, y, 1)
    np.testing.assert_allclose(straight_line(x, y, x + 20), intercept + slope * (x + 20 - 1.7e9))
    assert linear_baseline_mae(x, 3 * x + 1, x + 20, 3 * (x + 20) + 2) == pytest.approx(1)
