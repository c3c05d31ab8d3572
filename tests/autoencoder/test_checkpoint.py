import numpy as np
import pandas as pd
import pytest
import torch

from stages.autoencoder.checkpoint import Checkpoint, key_of
from stages.autoencoder.training import HISTORY, arrays_of, train
from stages.common.artifacts import read_csv
from stages.common.loss_table import LossTable
from stages.common.settings import load_params

PARAMS = load_params("autoencoder").model_copy(
    update={"hidden_layers": [16], "latent_dim": 3, "epochs": 4, "batch_size": 32}
)
IMAGES = np.random.default_rng(0).integers(0, 256, (120, 8, 8), np.uint8)


class Stopped(Exception):
    pass


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path):
    class StopsAtTwo(Checkpoint):
        def save(self, state):
            super().save(state)
            if len(state()["history"]) == 2:
                raise Stopped

    key, path = key_of(IMAGES, PARAMS, "cpu"), tmp_path / "state.pt"
    with pytest.raises(Stopped):
        train(IMAGES, PARAMS, "cpu", StopsAtTwo(key, path, interval=0))
    assert len(Checkpoint(key, path).load()["history"]) == 2
    resumed, history = train(IMAGES, PARAMS, "cpu", Checkpoint(key, path, interval=0))
    network, expected = train(IMAGES, PARAMS, "cpu")
    assert history.equals(expected)
    assert all(np.array_equal(arrays_of(network)[name], array) for name, array in arrays_of(resumed).items())


def test_the_loss_table_shows_the_epochs_while_training_runs_and_after_a_resumption(tmp_path):
    seen, table = [], str(tmp_path / "loss.csv")

    class Reads(Checkpoint):
        def save(self, state):
            super().save(state)
            seen.append(pd.read_csv(table)["epoch"].tolist())
            if len(seen) == 2:
                raise Stopped

    checkpoint = Reads(key_of(IMAGES, PARAMS, "cpu"), tmp_path / "state.pt", interval=0)
    with pytest.raises(Stopped):
        train(IMAGES, PARAMS, "cpu", checkpoint, LossTable(table, HISTORY))
    _, history = train(IMAGES, PARAMS, "cpu", checkpoint, LossTable(table, HISTORY))
    assert seen == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]
    assert read_csv(table).equals(history)


def test_a_checkpoint_of_other_settings_or_images_is_ignored(tmp_path):
    keys = {
        key_of(IMAGES, PARAMS, "cpu"),
        key_of(IMAGES[:-1], PARAMS, "cpu"),
        key_of(255 - IMAGES, PARAMS, "cpu"),
        key_of(IMAGES, PARAMS.model_copy(update={"seed": 1}), "cpu"),
        key_of(IMAGES, PARAMS, "cuda"),
    }
    assert len(keys) == 5
    Checkpoint("one", tmp_path / "state.pt", interval=0).save(lambda: {"weights": torch.ones(2)})
    assert torch.equal(Checkpoint("one", tmp_path / "state.pt").load()["weights"], torch.ones(2))
    assert Checkpoint("other", tmp_path / "state.pt").load() is None


def test_a_missing_or_damaged_checkpoint_is_ignored(tmp_path):
    path = tmp_path / "state.pt"
    assert Checkpoint("one", path).load() is None
    path.write_bytes(b"no checkpoint")
    assert Checkpoint("one", path).load() is None


def test_a_checkpoint_is_saved_no_more_often_than_the_interval(tmp_path):
    Checkpoint("one", tmp_path / "state.pt", interval=60).save(lambda: {})
    assert not list(tmp_path.iterdir())
