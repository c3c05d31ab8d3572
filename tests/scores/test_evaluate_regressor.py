"""The hint that a fit is no better than a straight line."""

import numpy as np
import pandas as pd

from stages.common.settings import load_params
from stages.regressor.training import train
from stages.scores.evaluate_regressor import hint, score_fit, significant, without_wild


def hint_for(periods: int) -> str | None:
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 1, 600)
    y = np.sin(2 * np.pi * periods * x) + generator.normal(0, 0.1, 600)
    points = pd.DataFrame({"split": np.repeat(["train", "test"], [500, 100]), "x": x, "y": y})
    params = load_params("regressor").model_copy(update={"frequencies": 24, "ensemble_size": 1, "epochs": 10})
    return hint(train(x[:500], y[:500], params)[0], points)


def test_a_curve_too_fast_for_the_features_is_told():
    assert "no better than a straight line" in hint_for(100)
    assert "raise regressor.frequencies (now 24)" in hint_for(100)
    assert hint_for(2) is None


def test_a_wild_value_does_not_decide_the_scores():
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 6, 600)
    y = np.sin(x) + generator.normal(0, 0.1, 600)
    points = pd.DataFrame({"split": np.repeat(["train", "test"], [500, 100]), "x": x, "y": y, "truth": np.nan})
    network = train(x[:500], y[:500], load_params("regressor").model_copy(update={"epochs": 5}))[0]
    own = load_params("curve").model_copy(update={"source": "own.csv"})
    clean = score_fit(network, points, own)
    points.loc[510, "y"] = -9999
    scores = score_fit(network, without_wild(points, own), own)
    assert scores["test_mae"] < 1.1 * clean["test_mae"]
    assert scores["linear_baseline_mae"] < 1.1 * clean["linear_baseline_mae"]
    assert len(without_wild(points, load_params("curve"))) == 600


def test_rounds_to_significant_digits():
    assert significant(123456.789) == 123457
    assert significant(1.23456789e-9) == 1.23457e-9
