"""Training: it learns, the same each time, and its held-out points decide as they say."""

import numpy as np
import pytest
import torch

from stages.common.errors import InputError
from stages.common.settings import RegressorParams
from stages.regressor.network import predict
from stages.regressor.training import (
    conformal_half_band,
    curvature,
    elementwise_loss,
    held_out_folds,
    learning_rate,
    mixture_weights,
    train,
)

PARAMS = RegressorParams(
    encoding="fourier",
    encoding_size=16,
    members=3,
    shortcut=True,
    hidden_layers=[16],
    activation="leaky_relu",
    negative_slope=0.2,
    weight_penalty=1.0,
    loss="l1",
    target_jitter=2.0,
    optimizer="adam",
    momentum=0.0,
    learning_rate=0.02,
    schedule="cosine",
    batch_size=64,
    epochs=12,
    seed=0,
)


def points(count: int, seed: int, curve, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.uniform(-2, 3, count)
    return x, curve(x) + generator.normal(0, noise, count)


def wave(x: np.ndarray) -> np.ndarray:
    return 3 * np.sin(4 * x)


def fit(params: RegressorParams = PARAMS, curve=wave, count: int = 600):
    return train(*points(count, 0, curve), params)


@pytest.fixture(scope="module")
def fitted():
    """What `fit()` gives."""
    return fit()


@pytest.mark.parametrize("loss", ["l1", "l2", "huber"])
def test_a_wave_is_learned_far_below_its_noise(fitted, loss):
    network, history = fitted if loss == PARAMS.loss else fit(PARAMS.model_copy(update={"loss": loss}))
    grid = np.linspace(-2, 3, 400)
    assert np.sqrt(np.mean((predict(network, grid)[0] - wave(grid)) ** 2)) < 0.12
    assert history["validation_loss"].iloc[-1] < 0.7 * history["validation_loss"].iloc[0]


@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 0.01), ("sgd", 0.05)])
def test_other_optimizers_learn_too(optimizer, rate):
    network, _ = fit(PARAMS.model_copy(update={"optimizer": optimizer, "learning_rate": rate, "momentum": 0.9}))
    grid = np.linspace(-2, 3, 400)
    assert np.abs(predict(network, grid)[0] - wave(grid)).mean() < 0.5


def test_the_same_seed_gives_the_same_bits_whatever_the_threads_and_another_seed_others(fitted):
    first = predict(fitted[0], [0.5])[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(99)
    again = predict(fit()[0], [0.5])[0]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert first == again
    assert first != predict(fit(PARAMS.model_copy(update={"seed": 1}))[0], [0.5])[0]


def test_a_straight_line_is_left_to_least_squares():
    x, y = points(600, 0, lambda x: 2 * x - 1)
    network, _ = train(x, y, PARAMS)
    slope, intercept = np.polyfit(x, y, 1)
    np.testing.assert_allclose(predict(network, [-2, 3])[0], [intercept - 2 * slope, intercept + 3 * slope])


def test_losses_are_in_the_units_of_y(fitted):
    curve = fitted[1]["validation_loss"]
    x, y = points(600, 0, wave)
    scaled = train(x, 1000 * y, PARAMS)[1]["validation_loss"]
    assert curve.iloc[-1] == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.2)
    np.testing.assert_allclose(scaled, 1000 * curve, rtol=0.01)


def test_the_band_covers_what_it_promises(fitted):
    network, _ = fitted
    x, y = points(4000, 2, wave)
    _, lower, upper = predict(network, x)
    assert 0.85 < ((lower <= y) & (y <= upper)).mean() < 0.95


def test_the_conformal_band_takes_the_finite_sample_rank():
    assert conformal_half_band(np.arange(-1, -20, -1)) == 18  # ceil(20 · 0.9)
    assert conformal_half_band(np.array([1.0, -3.0])) == 3


def test_the_mixture_finds_the_better_candidate_and_keeps_the_simplest_on_a_tie():
    generator = np.random.default_rng(0)
    y = generator.normal(size=500)
    bad, good = np.zeros(500), y + 0.1 * generator.normal(size=500)
    weights = mixture_weights(np.stack([bad, bad + 1, good]), y, "l1")
    assert weights.sum() == pytest.approx(1)
    assert weights[2] > 0.9
    assert mixture_weights(np.stack([bad, bad + 0.01]), y, "l2")[0] == 1


@pytest.mark.parametrize("loss", ["l1", "l2", "huber"])
def test_the_mixture_takes_a_candidate_without_any_error(loss):
    y = np.linspace(-1, 1, 100)
    assert mixture_weights(np.stack([y, y + 1]), y, loss).tolist() == [1, 0]
    assert mixture_weights(np.stack([y + 1, y]), y, loss)[1] == pytest.approx(1, abs=1e-6)


def test_each_member_misses_a_share_of_every_stretch_but_not_the_ends():
    x = torch.rand(103, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    held_out = held_out_folds(x, 5, torch.Generator().manual_seed(0))[:, x.argsort()]
    assert held_out.sum(dim=0).tolist() == [0] + [1] * 101 + [0]
    for start in range(5, 95, 5):
        assert held_out[:, start : start + 5].sum(dim=1).tolist() == [1] * 5
    assert held_out_folds(x, 1, torch.Generator().manual_seed(0)).sum() in (19, 20)


def test_jittered_l1_is_l1_on_noisy_targets_in_expectation():
    noise = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    for residual in (0.0, 0.3, 2.0):
        expected = (residual + 0.5 * noise).abs().mean() - (0.5 * noise).abs().mean()
        torch.testing.assert_close(elementwise_loss(torch.tensor(residual), "l1", 0.5), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize(("loss", "jitter"), [("l1", 0.2), ("l1", 0.4), ("l2", 0), ("huber", 0)])
def test_the_curvature_is_the_mean_second_derivative_under_the_noise(loss, jitter):
    residual = 0.2 * torch.randn(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = 0.01
    above, at, below = (elementwise_loss(residual + shift, loss, jitter).mean() for shift in (step, 0, -step))
    assert float(above - 2 * at + below) / step**2 == pytest.approx(curvature(loss, 0.2, jitter), rel=0.02)


def test_a_step_is_found_and_its_plateaus_stay_flat():
    params = PARAMS.model_copy(update={"epochs": 40, "hidden_layers": [16, 16]})
    network, _ = fit(curve=lambda x: np.where(x < 0.5, -2.0, 3.0), params=params)
    grid = np.concatenate([np.linspace(-1.9, 0.4, 100), np.linspace(0.6, 2.9, 100)])
    assert np.abs(predict(network, grid)[0] - np.where(grid < 0.5, -2, 3)).mean() < 0.05


def test_the_schedule_ends_at_zero():
    assert learning_rate(PARAMS, 0) == PARAMS.learning_rate
    assert learning_rate(PARAMS, 1) == pytest.approx(0)
    assert learning_rate(PARAMS.model_copy(update={"schedule": "constant"}), 1) == PARAMS.learning_rate


def test_a_loss_that_is_no_longer_finite_is_a_one_line_error():
    with pytest.raises(InputError, match=r"regressor\.learning_rate = 10 is too large"):
        fit(PARAMS.model_copy(update={"optimizer": "sgd", "loss": "l2", "learning_rate": 10.0}))
