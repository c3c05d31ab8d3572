"""Points of the sorts that people bring, with the settings as delivered: the fit, the band, and what is said."""

import numpy as np
import pandas as pd
import pytest

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.curve.points import hints, read_points, wild_rows
from stages.regressor.network import predict
from stages.regressor.training import train

PARAMS, CURVE = load_params("regressor"), load_params("curve")


def draw(count: int = 2000, low: float = 0, high: float = 6, seed: int = 0):
    generator = np.random.default_rng(seed)
    return generator.uniform(low, high, count), generator


def sine(count: int = 2000, seed: int = 0):
    x, generator = draw(count, seed=seed)
    return x, np.sin(2 * x) + generator.normal(0, 0.1, count)


def said(x, y, x_name="x", y_name="y") -> str:
    points = pd.DataFrame({x_name: x, y_name: y}, index=np.arange(2, len(x) + 2))
    return " ".join(hints(points, CURVE.model_copy(update={"source": "own.csv"})))


def rmse(network, truth, grid) -> float:
    return float(np.sqrt(np.mean((predict(network, grid)[0] - truth(grid)) ** 2)))


def tenths(network, x, y) -> list[float]:
    """Return the coverage of the band in each tenth of x."""
    _, lower, upper = predict(network, x)
    inside = ((lower <= y) & (y <= upper))[np.argsort(x, kind="stable")]
    return [float(part.mean()) for part in np.array_split(inside, 10)]


FULL = pytest.mark.full  # a second or more each: one of a sort is tried every time
TWENTY = dict.fromkeys(range(5, 2000, 100), -9999.0)


@pytest.mark.parametrize("wild", [TWENTY, *(pytest.param(one, marks=FULL) for one in ({9: -9999.0}, {700: 1e9}))])
def test_wild_values_are_named_and_do_not_move_the_fit(wild):
    x, y = sine()
    for row, value in wild.items():
        y[row] = value
    text = said(x, y)
    assert f"{len(wild)} of 2,000 values of y are wild" in text
    assert f"check lines {min(wild) + 2}" in text
    network, _ = train(x, y, PARAMS)
    assert rmse(network, lambda x: np.sin(2 * x), np.linspace(0, 6, 500)) < 0.02


def test_a_wild_x_is_named_and_left_out():
    x, y = sine()
    x[3] = 1e6
    assert "1 of 2,000 values of x are wild" in said(x, y)
    network, _ = train(x, y, PARAMS)
    assert rmse(network, lambda x: np.sin(2 * x), np.linspace(0, 6, 500)) < 0.02


def test_a_stretch_of_one_wild_value_is_named():
    x, y = sine()
    y[np.argsort(x)[900:915]] = -9999
    assert "15 of 2,000 values of y are wild" in said(x, y)


def test_wild_x_of_a_sentinel_are_left_out_of_the_points():
    x, y = sine()
    x[:60] = -9999
    points = pd.DataFrame({"x": x, "y": y})
    assert np.flatnonzero(wild_rows(points, CURVE)).tolist() == list(range(60))
    x[:60] = 0
    assert "take out the rows where it is not positive" in said(np.where(x > 0, 10 ** (x - 3), 0), y)
    with pytest.raises(InputError, match="line 0: x = 0 has no logarithm"):
        wild_rows(points.assign(x=x), CURVE.model_copy(update={"x_scale": "log"}))


def test_decades_of_x_ask_for_a_logarithmic_scale():
    generator = np.random.default_rng(0)
    x = 10 ** generator.uniform(-4, 4, 1000)
    y = 3 * np.log10(x) + np.sin(3 * np.log10(x)) + generator.normal(0, 0.5, 1000)
    assert "spans 8.0 decades" in said(x, y)
    assert "set curve.x_scale to log" in said(x, y)
    network, _ = train(x, y, PARAMS, log_x=True)
    truth = lambda x: 3 * np.log10(x) + np.sin(3 * np.log10(x))  # noqa: E731
    assert rmse(network, truth, np.geomspace(2e-4, 5e3, 500)) < 0.15


def zero_one(x, generator):
    return (generator.random(len(x)) < 1 / (1 + np.exp(3 * np.cos(x)))).astype(float)


NOISES = {
    "0/1": zero_one,
    "counts": lambda x, generator: generator.poisson(np.exp(x / 2)).astype(float),
    "growing": lambda x, generator: np.sin(2 * x) + (0.02 + 0.2 * x) * generator.normal(size=len(x)),
}


@pytest.mark.parametrize("noise", ["growing", *(pytest.param(name, marks=FULL) for name in ("0/1", "counts"))])
def test_the_band_follows_the_noise(noise):
    x, generator = draw()
    y = NOISES[noise](x, generator)
    network, _ = train(x, y, PARAMS)
    new_x, generator = draw(20_000, seed=1)
    covered = tenths(network, new_x, NOISES[noise](new_x, generator))
    assert min(covered) > 0.8
    assert noise != "growing" or max(covered) < 0.97


def test_two_values_of_y_are_pointed_out():
    x, generator = draw()
    assert "y has two values" in said(x, zero_one(x, generator))
    assert "y has 4 different values" in said(x, generator.integers(0, 4, len(x)).astype(float))
    assert "every y is 7: there is nothing to learn" in said(x, np.full_like(x, 7))


def test_repeated_x():
    generator = np.random.default_rng(0)
    x = generator.integers(0, 10, 1000).astype(float)
    network, _ = train(x, x**2 + generator.normal(0, 2, 1000), PARAMS)
    assert rmse(network, np.square, np.arange(10.0)) < 0.6
    assert 0.8 < min(tenths(network, x, x**2 + generator.normal(0, 2, 1000)))


@pytest.mark.parametrize("unit", [1e-9, pytest.param(1e6, marks=FULL)])
def test_any_unit_and_unix_times(unit):
    x, y = sine(1000)
    network, _ = train(1.7e9 + 5e4 * x, unit * y, PARAMS)
    grid = np.linspace(0, 6, 500)
    assert np.abs(predict(network, 1.7e9 + 5e4 * grid)[0] / unit - np.sin(2 * grid)).mean() < 0.03


def test_twenty_rows(tmp_path):
    (tmp_path / "own.csv").write_text("x,y\n" + "".join(f"{i},{2 * i + (-1) ** i}\n" for i in range(20)))
    points = read_points(str(tmp_path / "own.csv"))
    network, _ = train(points["x"].to_numpy(), points["y"].to_numpy(), PARAMS)
    assert np.abs(predict(network, points["x"])[0] - 2 * points["x"]).max() < 3


@FULL
def test_a_sine_of_4000_points():
    x, generator = draw(4000, -1, 9)
    network, _ = train(x, np.sin(x) / 2.5 + generator.normal(0, 0.05, 4000), PARAMS)
    assert rmse(network, lambda x: np.sin(x) / 2.5, np.linspace(-1, 9, 500)) < 0.01
    new_x, generator = draw(20_000, -1, 9, seed=1)
    assert 0.88 < np.mean(tenths(network, new_x, np.sin(new_x) / 2.5 + generator.normal(0, 0.05, 20_000))) < 0.92
