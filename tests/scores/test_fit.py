"""The scores of the fit, each against a case whose answer is known."""

import numpy as np
import pytest

from stages.scores.fit import linear_baseline_mae, noise_floor_mae, straight_line


def test_the_floor_of_normal_noise():
    noise = np.random.default_rng(0).normal(0, 30, 1_000_000)
    assert noise_floor_mae(30) == pytest.approx(np.abs(noise).mean(), rel=2e-3)


def test_the_straight_line_is_that_of_least_squares():
    x = np.arange(10.0) + 1.7e9
    y = np.random.default_rng(0).normal(size=10)
    slope, intercept = np.polyfit(x - 1.7e9, y, 1)
    np.testing.assert_allclose(straight_line(x, y, x + 20), intercept + slope * (x + 20 - 1.7e9))
    assert linear_baseline_mae(x, 3 * x + 1, x + 20, 3 * (x + 20) + 2) == pytest.approx(1)
