"""The recording of a training: what it keeps equals the network as it was."""

import numpy as np
import pandas as pd
import pytest

from stages.common.loss_table import LossTable
from stages.regressor.network import predict
from stages.regressor.pieces_and_dead_units import linear_pieces
from stages.regressor.recording import FEWEST_INSIDE, Recorder, moments
from stages.regressor.training import HISTORY, train
from tests.regressor.test_training import PARAMS, points, wave

EPOCHS, STEPS = 4, 60  # 15 batches in an epoch


def record(**changes):
    """Return the regressor, its history, its recording and the fits that a second watcher saw, by step."""
    params, recorder, seen = PARAMS.model_copy(update={"epochs": EPOCHS, **changes}), Recorder(), {}

    def watch(step, steps, regressor, losses):
        recorder(step, steps, regressor, losses)
        seen[step] = predict(regressor, grid_of(regressor, len(recorder.u)))[0]

    regressor, history = train(*points(600, 0, wave), params, on_step=watch)
    return regressor, history, recorder.arrays(regressor, history), seen


def grid_of(regressor, count: int) -> np.ndarray:
    return np.linspace(regressor.x_low.item(), regressor.x_high.item(), count)


@pytest.fixture(scope="module")
def waves():
    return record()


@pytest.fixture(scope="module")
def plain():
    return record(encoding="none")


def unscaled(recording: dict, v: np.ndarray) -> np.ndarray:
    _, _, y_centre, y_scale = recording["scale"]
    return y_centre + y_scale * v


@pytest.mark.parametrize("steps", [15, 480, 19_000])
def test_moments_are_about_sixty_and_dense_early(steps):
    found = moments(steps)
    assert found[0] == 0
    assert found[-1] == steps
    assert (np.diff(found) > 0).all()
    assert len(found) <= max(steps / 8, 4) + 1
    assert len(found) >= 45 or steps < 400
    assert {0, 1, steps} <= set(found)


def test_every_moment_is_the_fit_as_it_was(waves):
    regressor, _, recording, seen = waves
    assert recording["step"][-1] == STEPS
    for step, fit in zip(recording["step"][:-1], recording["fit"], strict=False):
        np.testing.assert_allclose(unscaled(recording, fit), seen[step], atol=1e-5)
    x = grid_of(regressor, len(recording["u"]))
    y, lower, upper = predict(regressor, x)
    np.testing.assert_allclose(unscaled(recording, recording["fit"][-1]), y, atol=1e-5)
    np.testing.assert_allclose(unscaled(recording, recording["band"]), [lower, upper], atol=1e-5)


def test_losses_are_those_of_the_history(waves):
    _, history, recording, _ = waves
    np.testing.assert_allclose(recording["epoch_loss"], history[["train_loss", "validation_loss"]], rtol=1e-6)
    assert np.isfinite(recording["train_loss"]).all()
    assert np.isfinite(recording["gradient"]).all()
    assert recording["gradient"].shape == (len(recording["step"]), 2)
    batches = np.diff(recording["step"], prepend=-1)
    batches[-1] -= 1  # the last moment follows the last step
    mean = np.average(recording["train_loss"], weights=batches)
    assert mean == pytest.approx(history["train_loss"].mean(), rel=1e-5)


def test_corners_are_the_pieces_of_the_fit(plain, waves):
    regressor, _, recording, _ = plain
    last = recording["corners"][-recording["corner_counts"][-1] :]
    assert len(last) - 1 == linear_pieces(regressor, regressor.x_low.item(), regressor.x_high.item()) > 3
    np.testing.assert_allclose(np.interp(recording["u"], *last.T), recording["fit"][-1], atol=1e-5)
    assert not waves[2]["corners"].size


def test_the_weights_of_a_plain_network_give_its_fit():
    _, _, recording, _ = record(encoding="none", ensemble_size=1)
    assert recording["inside"].tolist() == list(range(len(recording["step"])))
    for moment, row in zip(recording["inside"], recording["weights"], strict=True):
        first, bias, last, end = np.split(row.astype(np.float64), [16, 32, 48])
        hidden = recording["u"][:, None] * first + bias
        fit = np.where(hidden > 0, hidden, 0.2 * hidden) @ last + end
        np.testing.assert_allclose(fit, recording["fit"][moment], atol=1e-5)


def test_a_large_network_is_recorded_inside_at_fewer_moments_or_not_at_all():
    some = record(encoding="none", hidden_layers=[90, 90], epochs=8)[2]
    assert FEWEST_INSIDE <= len(some["inside"]) < len(some["step"])
    assert some["inside"][-1] == len(some["step"]) - 1
    assert len(some["weights"]) == len(some["corner_counts"]) == len(some["inside"])
    none = record(encoding="none", hidden_layers=[150, 150], epochs=2)[2]
    assert none["weights"].size == none["inside"].size == none["corners"].size == 0
    assert len(none["fit"]) == len(none["step"])


def test_a_recording_changes_no_training(plain):
    alone, _ = train(*points(600, 0, wave), PARAMS.model_copy(update={"epochs": EPOCHS, "encoding": "none"}))
    assert predict(alone, [0.5]) == predict(plain[0], [0.5])


def test_the_loss_table_can_be_read_while_training_runs(tmp_path):
    path, seen = str(tmp_path / "loss.csv"), []
    table = LossTable(path, HISTORY)
    table([])

    def watch(step, steps, regressor, losses):
        if step % 15 == 7:
            seen.append(pd.read_csv(path)["epoch"].tolist())

    params = PARAMS.model_copy(update={"epochs": EPOCHS})
    _, history = train(*points(600, 0, wave), params, on_step=watch, on_epoch=table)
    assert seen == [[], [1], [1, 2], [1, 2, 3]]
    pd.testing.assert_frame_equal(pd.read_csv(path), history)
