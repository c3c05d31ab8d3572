"""The curve's pictures show what the tables say, and cope with what is missing from them."""

import numpy as np
import pandas as pd
import pytest

from stages.common.csv_dialects import DAYS
from stages.figures.curve import draw_curve_data, draw_fit, draw_residuals
from stages.figures.losses import draw_loss
from stages.figures.style import FIT, png_bytes
from stages.figures.t_distribution import draw_t_distribution


def legend_texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]


@pytest.fixture
def curve() -> pd.DataFrame:
    x = np.random.default_rng(0).uniform(-10, 10, 300)
    split = np.repeat(["train", "test"], [100, 200])
    return pd.DataFrame({"split": split, "x": x, "y": x**2 + 1, "truth": x**2})


@pytest.fixture
def fit() -> pd.DataFrame:
    x = np.linspace(-1, 1, 50)
    noise = np.random.default_rng(0).normal(0, 2, 50)
    return pd.concat(
        [
            pd.DataFrame({"series": "test data", "x": x[::-1], "y": x[::-1] + noise, "residual": noise}),
            pd.DataFrame({"series": "fit", "x": x, "y": x, "lower": x - 3, "upper": x + 3}),
            pd.DataFrame({"series": "true curve", "x": x, "y": x}),
        ],
        ignore_index=True,
    )


def test_curve_data_draws_training_points_and_the_truth_in_order(curve):
    axes = draw_curve_data(curve).axes[0]
    assert len(axes.collections[0].get_offsets()) == 100
    assert (np.diff(axes.lines[0].get_xdata()) >= 0).all()
    assert "true curve, without the noise" in legend_texts(axes.figure)


def test_measured_data_have_no_true_curve(curve):
    figure = draw_curve_data(curve.assign(truth=np.nan))
    assert legend_texts(figure) == ["100 training points"]
    assert not figure.axes[0].lines


def test_fit_is_red_over_its_band_with_a_thin_truth_and_names_its_axes(fit, curve):
    axes = draw_fit(fit, curve=curve, x_name="time", y_name="signal").axes[0]
    line, truth = axes.lines
    assert line.get_color() == FIT
    assert truth.get_linewidth() < line.get_linewidth() / 2
    assert legend_texts(axes.figure) == ["training points", "test points", "fit", "90 % band", "true curve"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time", "signal")


def test_wild_values_do_not_flatten_the_picture(curve):
    curve.loc[3, "y"] = -9999
    axes = draw_curve_data(curve, log_x=False, x_name="day" + DAYS).axes[0]
    assert axes.get_ylim()[0] > -100
    assert "1 points far outside are not shown" in axes.texts[0].get_text()
    assert axes.get_xlabel() == "day"


def test_fit_without_band_or_truth_promises_neither(fit):
    bare = fit[fit["series"] != "true curve"].assign(lower=np.nan, upper=np.nan)
    assert legend_texts(draw_fit(bare)) == ["test points", "fit"]


def test_residuals_stand_against_the_noise_only_where_it_is_known(fit):
    assert "normal, σ = 2" in legend_texts(draw_residuals(fit, 2 * np.sqrt(2 / np.pi)))
    assert not draw_residuals(fit).axes[1].lines
    scattered = draw_residuals(fit).axes[0].collections[0].get_offsets()
    assert np.allclose(np.sort(scattered[:, 1]), np.sort(fit["residual"].dropna()))


def test_constant_data_draw(curve, fit):
    png_bytes(draw_curve_data(curve.assign(x=1.0, y=2.0, truth=2.0)))
    png_bytes(draw_residuals(fit.assign(x=1.0, residual=0.0), 0.0))
    png_bytes(draw_fit(fit.assign(x=1.0, y=1.0)))


def test_loss_marks_the_best_validation_epoch_and_the_floor():
    history = pd.DataFrame({"epoch": [1, 2, 3, 4], "train_loss": [9, 5, 3, 2.0], "validation_loss": [9, 5, 4, 4.5]})
    figure = draw_loss(history, loss="mean absolute error", noise_floor=1.5)
    axes = figure.axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[3, 4]]
    assert legend_texts(figure) == ["training", "validation", "best epoch (3)", "noise floor (1.5)"]
    assert axes.get_yscale() == "log"


def test_loss_of_one_epoch_and_of_zero_draw():
    png_bytes(draw_loss(pd.DataFrame({"epoch": [1], "train_loss": [0.5], "validation_loss": [0.4]})))
    flat = draw_loss(pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.0], "validation_loss": [1.0, 0.0]}))
    assert flat.axes[0].get_yscale() == "linear"
    png_bytes(flat)


def test_pictures_are_the_same_bytes_twice(curve, fit):
    for draw in (lambda: draw_curve_data(curve), lambda: draw_residuals(fit, 2.0), draw_t_distribution):
        assert png_bytes(draw()) == png_bytes(draw())
