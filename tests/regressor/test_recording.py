"""The recording of a training: what it keeps equals the network as it was."""

import numpy as np
import pandas as pd
import pytest

from stages.common.loss_table import LossTable
from stages.regressor.network import predict
from stages.regressor.recording import MOMENTS, Recorder, moments
from stages.regressor.training import HISTORY, train
from tests.regressor.test_training import PARAMS, points, wave

EPOCHS, STEPS = 4, 60  # 15 batches in an epoch


@pytest.fixture(scope="module")
def recorded():
    """Return the regressor, its history, its recording and the weights that a second watcher saw, by step."""
    params, recorder, seen = PARAMS.model_copy(update={"epochs": EPOCHS}), Recorder(), {}

    def watch(step, steps, regressor, losses):
        recorder(step, steps, regressor, losses)
        seen[step] = regressor.network.layers[0].weight.detach().numpy().copy()

    regressor, history = train(*points(600, 0, wave), params, on_step=watch)
    return regressor, history, recorder.arrays(regressor, history), seen


@pytest.mark.parametrize("steps", [15, 480, 19_000])
def test_moments_are_about_sixty_and_dense_early(steps):
    found = moments(steps, MOMENTS)
    assert found[0] == 0
    assert found[-1] == steps
    assert (np.diff(found) > 0).all()
    assert len(found) <= max(steps / 8, 4) + 1
    assert len(found) >= 45 or steps < 400
    assert {0, 1, steps} <= set(found)


def test_a_large_network_is_recorded_at_fewer_moments():
    few = moments(480, 8)
    assert len(few) <= 9
    assert {0, 1, 480} <= set(few)
    assert moments(480, 0).tolist() == [0, 1, 480]


def test_every_moment_is_the_network_as_it_was(recorded):
    regressor, _, recording, seen = recorded
    assert recording["step"][-1] == STEPS
    for step, weight in zip(recording["step"][:-1], recording["layers.0.weight"], strict=False):
        np.testing.assert_array_equal(weight, seen[step])
    for name, last in regressor.network.state_dict().items():
        np.testing.assert_array_equal(recording[name][-1], last)


def test_losses_are_those_of_the_history(recorded):
    _, history, recording, _ = recorded
    np.testing.assert_allclose(recording["epoch_loss"], history[["train_loss", "validation_loss"]], rtol=1e-6)
    assert np.isfinite(recording["train_loss"]).all()
    assert np.isfinite(recording["gradient"]).all()
    assert recording["gradient"].shape == (len(recording["step"]), 2)
    batches = np.diff(recording["step"], prepend=-1)
    batches[-1] -= 1  # the last moment follows the last step
    mean = np.average(recording["train_loss"], weights=batches)
    assert mean == pytest.approx(history["train_loss"].mean(), rel=1e-5)


def test_a_recording_changes_no_training(recorded):
    alone, _ = train(*points(600, 0, wave), PARAMS.model_copy(update={"epochs": EPOCHS}))
    assert predict(alone, [0.5]) == predict(recorded[0], [0.5])


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
