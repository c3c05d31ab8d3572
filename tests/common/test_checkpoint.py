"""Interrupted trainings and maps go on from their checkpoints, to the same bits."""

import numpy as np
import pytest

from stages.autoencoder.training import arrays_of as autoencoder_arrays
from stages.autoencoder.training import train as train_autoencoder
from stages.common.checkpoint import Checkpoint, NoCheckpoint
from stages.common.settings import load_params
from stages.images.garments.garments import draw_garments
from stages.regressor.network import arrays_of as regressor_arrays
from stages.regressor.training import train as train_regressor
from stages.tsne import descent
from stages.tsne.embed_baselines import embed_baselines
from stages.tsne.embedding import embed


class Interruption(Exception):
    """Someone has pulled the plug."""


class Interrupting(Checkpoint):
    """Pulls the plug once it has saved so many times, it or that one of its parts."""

    def __init__(self, path, key, interval, saves, within=None):
        super().__init__(path, key, interval)
        self.left, self.within = saves, within

    def save(self, state):
        super().save(state)
        self.left -= 1
        if self.left == 0:
            raise Interruption

    def part(self, name):
        path = self.path.with_suffix(f".{name}.npz")
        if self.within in (None, name):
            return Interrupting(path, self.key, self.interval, self.left)
        return Checkpoint(path, self.key, self.interval)


class Counting(Checkpoint):
    """Counts how much was left to do."""

    saves = 0

    def save(self, state):
        Counting.saves += 1

    def part(self, name):
        return Counting(self.path.with_suffix(f".{name}.npz"), self.key, self.interval)


def autoencoder(checkpoint=None, **changes):
    images = draw_garments(300, seed=0)[0]
    params = load_params("autoencoder").model_copy(
        update={"hidden_layers": [16], "channels": [4], "latent_dim": 4, "epochs": 6, **changes}
    )
    network, history = train_autoencoder(images, params, checkpoint)
    return [*autoencoder_arrays(network).values(), history.to_numpy(), np.array(list(history.dtypes.astype(str)))]


def regressor(checkpoint=None, **changes):
    generator = np.random.default_rng(0)
    x = generator.uniform(-3, 3, 200)
    params = load_params("regressor").model_copy(
        update={"encoding_size": 8, "members": 2, "hidden_layers": [8], "epochs": 6, "batch_size": 50, **changes}
    )
    network, history = train_regressor(x, np.sin(x) + generator.normal(0, 0.1, 200), params, checkpoint)
    return [*regressor_arrays(network).values(), history.to_numpy()]


def tsne(checkpoint=None, **changes):
    latents = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    params = load_params("tsne").model_copy(
        update={"perplexity": 10, "early_iterations": 20, "iterations": 40, "device": "cpu", **changes}
    )
    return list(map(np.asarray, embed(latents, params, checkpoint)))


def baselines(checkpoint=None):
    images = draw_garments(200, seed=0)[0]
    params = load_params("tsne").model_copy(
        update={"points": 150, "perplexity": 10, "early_iterations": 20, "iterations": 40, "device": "cpu"}
    )
    return list(embed_baselines(images[:150], images[150:], params, checkpoint or NoCheckpoint()).values())


WORK = [
    (autoencoder, {}, (1, 4)),
    (autoencoder, {"architecture": "conv", "beta": 0, "consistency": 0, "whitening": 1, "noise": 0.1}, (3,)),
    (regressor, {}, (1, 4)),
    (regressor, {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01, "encoding": "hat"}, (3,)),
    (regressor, {"optimizer": "adamw", "loss": "l2", "encoding": "none", "members": 1}, (5,)),
    (tsne, {}, (1, 33, 59)),
    (tsne, {"n_components": 3}, (30,)),
]


@pytest.mark.parametrize(("work", "changes", "moments"), WORK)
def test_interrupted_work_goes_on_to_the_same_bits(tmp_path, work, changes, moments, count):
    whole = work(**changes)
    for saves in moments:
        path = tmp_path / f"{saves}.npz"
        with pytest.raises(Interruption):
            work(Interrupting(path, "key", 0, saves), **changes)
        assert all(
            np.array_equal(a, b) for a, b in zip(whole, work(Checkpoint(path, "key", 99), **changes), strict=True)
        )
        count("interrupted and resumed")


@pytest.mark.parametrize(("within", "left"), [("pca", 60 - 33 + 60), ("pixel", 60 - 33)])
def test_the_maps_to_compare_go_on_in_whichever_was_interrupted(tmp_path, within, left, count):
    whole, path = baselines(), tmp_path / "maps.npz"
    with pytest.raises(Interruption):
        baselines(Interrupting(path, "key", 0, 33, within))
    Counting.saves = 0
    resumed = baselines(Counting(path, "key", 0))
    assert Counting.saves == left, "what was done is not done again"
    assert all(np.array_equal(a, b) for a, b in zip(whole, resumed, strict=True))
    count("interrupted and resumed")


def test_a_map_through_the_grid_goes_on_with_the_same_grid(tmp_path, monkeypatch):
    monkeypatch.setattr(descent, "ALL_PAIRS_UP_TO", 100)
    test_interrupted_work_goes_on_to_the_same_bits(tmp_path, tsne, {"iterations": 150}, (60, 165), lambda _: None)


def test_what_was_done_is_not_done_again_and_another_key_begins_anew(tmp_path):
    path = tmp_path / "map.npz"
    with pytest.raises(Interruption):
        tsne(Interrupting(path, "key", 0, 45))
    for key, left in (("key", 15), ("other", 60)):
        Counting.saves = 0
        tsne(Counting(path, key, 0))
        assert Counting.saves == left


@pytest.mark.parametrize("spoil", [lambda content: content[:-50], lambda _: b"", lambda _: b"no archive"])
def test_a_damaged_checkpoint_is_none(tmp_path, spoil):
    path = tmp_path / "map.npz"
    Checkpoint(path, "key", 0).save(lambda: {"a": np.arange(9)})
    np.testing.assert_array_equal(Checkpoint(path, "key", 0).load()["a"], np.arange(9))
    path.write_bytes(spoil(path.read_bytes()))
    assert Checkpoint(path, "key", 0).load() is None


def test_a_checkpoint_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").touch()
    Checkpoint(tmp_path / "file" / "map.npz", "key", 0).save(lambda: {"a": np.arange(9)})
