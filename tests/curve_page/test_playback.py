"""What the page plays back equals the network as it was at each moment."""

import numpy as np
import pytest
import torch

from stages.curve_page.playback import FEWEST_INSIDE, first_network, inside, playback
from stages.regressor.network import predict
from stages.regressor.recording import Recorder
from stages.regressor.training import train
from stages.scores.pieces_and_dead_units import linear_pieces
from tests.regressor.test_training import PARAMS, points, wave


def play(**changes):
    """Return the regressor, its playback and the fits that a second watcher saw, by step."""
    params, recorder, seen = PARAMS.model_copy(update={"epochs": 4, **changes}), Recorder(), {}

    def watch(step, steps, regressor, losses):
        recorder(step, steps, regressor, losses)
        seen[step] = predict(regressor, grid_of(regressor))[0]

    regressor, history = train(*points(600, 0, wave), params, on_step=watch)
    return regressor, playback(recorder.arrays(regressor, history), regressor), seen


def grid_of(regressor) -> np.ndarray:
    return np.linspace(regressor.x_low.item(), regressor.x_high.item(), 601)


@pytest.fixture(scope="module")
def waves():
    return play()


@pytest.fixture(scope="module")
def plain():
    return play(encoding="none")


def unscaled(shown: dict, v: np.ndarray) -> np.ndarray:
    _, _, y_centre, y_scale = shown["scale"]
    return y_centre + y_scale * v


def test_every_fit_is_the_one_as_it_was(waves):
    regressor, shown, seen = waves
    for step, fit in zip(shown["step"][:-1], shown["fit"], strict=False):
        np.testing.assert_allclose(unscaled(shown, fit), seen[step], atol=1e-5)
    y, lower, upper = predict(regressor, grid_of(regressor))
    np.testing.assert_allclose(unscaled(shown, shown["fit"][-1]), y, atol=1e-5)
    np.testing.assert_allclose(unscaled(shown, shown["band"]), [lower, upper], atol=1e-5)


def test_corners_are_the_pieces_of_the_fit(plain, waves):
    regressor, shown, _ = plain
    last = shown["corners"][-shown["corner_counts"][-1] :]
    assert len(last) - 1 == linear_pieces(regressor, regressor.x_low.item(), regressor.x_high.item()) > 3
    np.testing.assert_allclose(np.interp(shown["u"], *last.T), shown["fit"][-1], atol=1e-5)
    assert not waves[1]["corners"].size


def test_the_weights_of_a_plain_network_give_its_fit():
    _, shown, _ = play(encoding="none", ensemble_size=1)
    assert shown["inside"].tolist() == list(range(len(shown["step"])))
    for moment, row in zip(shown["inside"], shown["weights"], strict=True):
        first, bias, last, end = np.split(row.astype(np.float64), [16, 32, 48])
        hidden = shown["u"][:, None] * first + bias
        fit = np.where(hidden > 0, hidden, 0.2 * hidden) @ last + end
        np.testing.assert_allclose(fit, shown["fit"][moment], atol=1e-5)


def test_the_gate_is_multiplied_into_the_weights(waves):
    regressor, network = waves[0], waves[0].network
    one, gate = first_network(regressor), network.gate.item()
    skip = torch.cat([network.skip.weight[0].flatten(), network.skip.bias[0].flatten()]).detach().numpy()
    np.testing.assert_allclose(one[-len(skip) :], (1 - gate) * skip, rtol=1e-3, atol=1e-4)
    end = network.layers[-1].bias[0].item()
    assert one[-len(skip) - 1] == pytest.approx(gate * end, rel=1e-3, abs=1e-4)


def test_a_large_network_is_shown_inside_at_fewer_moments_or_not_at_all():
    assert inside(60, 1000).tolist() == list(range(60))
    some = inside(60, 30_000)
    assert FEWEST_INSIDE <= len(some) < 60
    assert some[-1] == 59
    assert not len(inside(60, 100_000))
