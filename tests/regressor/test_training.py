"""Training: it learns, the same each time; wild values do not move it; the band follows the noise."""

import numpy as np
import pytest
import torch

from stages.common.errors import InputError
from stages.common.settings import RegressorParams
from stages.regressor.network import predict
from stages.regressor.training import train

PARAMS = RegressorParams(
    encoding="fourier",
    frequencies=16,
    hidden_layers=[16],
    activation="leaky_relu",
    negative_slope=0.2,
    loss="l1",
    optimizer="adam",
    learning_rate=0.05,
    batch_size=64,
    epochs=20,
    ensemble_size=2,
    seed=0,
)


def points(count: int, seed: int, curve, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.uniform(-2, 3, count)
    return x, curve(x) + generator.normal(0, noise, count)


def wave(x: np.ndarray) -> np.ndarray:
    return 3 * np.sin(4 * x)


def fit(curve=wave, count: int = 600, **changes):
    return train(*points(count, 0, curve), PARAMS.model_copy(update=changes))


@pytest.fixture(scope="module")
def fitted():
    return fit()


@pytest.mark.parametrize("loss", ["l1", "l2", "huber"])
def test_learns_a_wave_far_below_its_noise(fitted, loss):
    network, history = fitted if loss == PARAMS.loss else fit(loss=loss)
    grid = np.linspace(-2, 3, 400)
    assert np.sqrt(np.mean((predict(network, grid)[0] - wave(grid)) ** 2)) < 0.12
    assert history["validation_loss"].iloc[-1] < 0.7 * history["validation_loss"].iloc[0]


@pytest.mark.parametrize("changes", [{"optimizer": "adamw"}, {"optimizer": "sgd", "encoding": "none"}])
def test_other_optimizers_learn_too(changes):
    loss = fit(lambda x: 2 * x, **changes)[1]["validation_loss"]
    assert loss.iloc[-1] < 0.9 * loss.iloc[0]


def test_the_plain_network_learns_a_corner():
    network, _ = fit(np.abs, encoding="none", epochs=30, ensemble_size=1)
    grid = np.linspace(-2, 3, 400)
    assert np.abs(predict(network, grid)[0] - np.abs(grid)).mean() < 0.15


def test_the_layers_take_a_step_and_the_skip_connection_a_wave_and_a_line():
    step, x = (lambda x: np.where(x < 0.4, -2.0, 3.0)), np.linspace(-2, 3, 400)
    network, _ = fit(step, loss="l2")
    error = np.abs(predict(network, x)[0] - step(x)).mean()
    assert network.network.gate > 0.6
    network.network.gate.zero_()
    assert error < 0.8 * np.abs(predict(network, x)[0] - step(x)).mean()
    assert fit(loss="l2")[0].network.gate < 0.3
    network, _ = fit(lambda x: 2 * x, loss="l2")
    np.testing.assert_allclose(predict(network, x)[0], 2 * x, atol=0.1)


def test_the_seed_alone_decides(fitted):
    first = predict(fitted[0], [0.5])[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(99)
    again = predict(fit()[0], [0.5])[0]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert first == again
    assert first != predict(fit(seed=1)[0], [0.5])[0]


def test_losses_are_in_the_unit_of_y(fitted):
    curve = fitted[1]["validation_loss"]
    assert curve.iloc[-1] == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.2)
    x, y = points(600, 0, wave)
    np.testing.assert_allclose(train(x, 1000 * y, PARAMS)[1]["validation_loss"], 1000 * curve, rtol=0.01)


def test_wild_values_do_not_move_the_fit(fitted):
    x, y = points(600, 0, wave)
    y[5], y[70:73], x[200] = 1e9, -9999, 1e6
    network, _ = train(x, y, PARAMS)
    grid = np.linspace(-2, 3, 400)
    assert np.sqrt(np.mean((predict(network, grid)[0] - wave(grid)) ** 2)) < 0.14


@pytest.mark.parametrize("noise", [lambda x: 0.1 + 0.3 * (x + 2), lambda x: 0.3 + 0 * x])
def test_the_band_follows_the_noise(noise):
    def draw(count, seed):
        generator = np.random.default_rng(seed)
        x = generator.uniform(-2, 3, count)
        return x, wave(x) + noise(x) * generator.normal(size=count)

    network, _ = train(*draw(2000, 0), PARAMS.model_copy(update={"ensemble_size": 5, "epochs": 10}))
    x, y = draw(10_000, 1)
    _, lower, upper = predict(network, x)
    inside = ((lower <= y) & (y <= upper))[np.argsort(x)]
    assert 0.87 < inside.mean() < 0.93
    assert all(0.82 < part.mean() < 0.97 for part in np.array_split(inside, 10))


def test_few_points_and_constant_y_are_fitted():
    network, _ = fit(count=17)
    assert np.isfinite(np.stack(predict(network, np.linspace(-2, 3, 9)))).all()
    x = np.linspace(0, 1, 50)
    network, _ = train(x, np.full(50, 7.0), PARAMS)
    np.testing.assert_allclose(np.stack(predict(network, x)), 7, atol=1e-4)


def test_logarithmic_x():
    generator = np.random.default_rng(0)
    x = 10 ** generator.uniform(-4, 4, 600)
    y = np.sin(np.log10(x)) + generator.normal(0, 0.1, 600)
    network, _ = train(x, y, PARAMS, log_x=True)
    grid = np.geomspace(1e-4, 1e4, 300)
    assert np.abs(predict(network, grid)[0] - np.sin(np.log10(grid))).mean() < 0.05
    with pytest.raises(InputError, match=r"curve\.x_scale = 'log' needs positive x"):
        train(x - 1, y, PARAMS, log_x=True)


def test_refuses_equal_x_and_a_loss_that_is_not_finite():
    with pytest.raises(InputError, match="every x to learn from is 1"):
        train(np.ones(50), np.arange(50.0), PARAMS)
    with pytest.raises(InputError, match=r"regressor\.learning_rate = 10 is too large"):
        fit(optimizer="sgd", loss="l2", learning_rate=10.0)


def test_a_training_can_be_watched_without_changing_it(fitted):
    moments, lengths = [], []

    def on_step(step, steps, regressor, losses):
        assert steps == 15 * PARAMS.epochs
        moments.append((step, predict(regressor, [0.5])[0][0], losses.mean().item()))

    watch = {"on_step": on_step, "on_epoch": lambda rows: lengths.append(len(rows))}
    network, history = train(*points(600, 0, wave), PARAMS, **watch)
    assert lengths == list(range(1, PARAMS.epochs + 1))
    assert [step for step, *_ in moments] == list(range(15 * PARAMS.epochs))
    assert moments[0][1] == pytest.approx(float(network.y_centre))  # the untrained network is zero in scaled y
    last_epoch = [loss for *_, loss in moments[-15:]]
    assert np.mean(last_epoch) == pytest.approx(history["train_loss"].iloc[-1])
    assert predict(network, [0.5])[0] == predict(fitted[0], [0.5])[0]
