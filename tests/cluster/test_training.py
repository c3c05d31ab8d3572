"""Training shared among workers takes the steps of one machine; what differs is the order of float32 sums.

With one worker not a bit does. What is lost on the way is made good: with as many workers, to the bit.
"""

import functools
import os
import signal
import threading
import time
from contextlib import suppress
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from stages.autoencoder.training import arrays_of, reconstruct, train
from stages.common.artifacts import read_arrays
from stages.common.checkpoint import Checkpoint
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.images.garments.garments import draw_garments
from tests.cluster.conftest import STORE

IMAGES, TEST_IMAGES = draw_garments(600, seed=0)[0], draw_garments(150, seed=1)[0]
TINY = load_params("autoencoder").model_copy(update={"latent_dim": 8, "epochs": 10})  # as in tests/tiny/params.yaml
# Most that the weights as one vector, and the losses and the test error, may differ, relative to their size. Adam makes
# gradients that are but rounding as large as others, which moves weights that hardly matter; after a batch of one image
# many are. Absolute errors' gradient jumps. Seen: 8e-7 and 2e-7, 4e-4 and 2e-5, 2e-4 and 4e-5.
ROUNDING, ONE_IMAGE, JUMPS = (2e-5, 2e-6), (4e-3, 2e-4), (1e-2, 1e-3)
SETTINGS = [
    ({}, ROUNDING),
    ({"epochs": 25}, ROUNDING),
    ({"batch_size": 71}, ROUNDING),  # 570 images: 8 batches and 2 images, of which a third worker gets none
    ({"batch_size": 569, "beta": 0}, ONE_IMAGE),  # the last batch; and a weight without gradient
    ({"architecture": "conv", "channels": [4, 8], "loss": "l1", "batch_size": 100}, JUMPS),
    ({"consistency": 0, "noise": 0.2, "whitening": 1}, ROUNDING),
]


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Ray Train looks after its workers every two seconds and waits a minute for a node: longer than all this takes."""
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.1")
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "10")


@pytest.fixture
def three_nodes(connected):
    """The cluster with one more node, which stays until a test kills one."""
    if len(connected.nodes) < 3:
        connected.nodes.append(connected.cluster.add_node(num_cpus=1, object_store_memory=STORE))
        connected.cluster.wait_for_nodes()
    return connected


def on_cluster(folder, params=TINY, workers=3, interval=5.0):
    from stages.autoencoder import train_on_ray as training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SMALLEST_SHARE", params.batch_size // workers)
        result = training.train_on_cluster(IMAGES, params, Checkpoint(folder / "train.npz", "key", interval))
    assert not list(folder.iterdir())  # nothing stays behind
    return result


def differences(local, other):
    """Relative differences: that of all weights as one vector, and the largest of the losses and the test error."""
    (network, history), (other_network, other_history) = local, other
    weights, other_weights = (
        np.concatenate([array.ravel().astype(np.float64) for array in arrays_of(one).values()])
        for one in (network, other_network)
    )
    errors = [reconstruct(one, TEST_IMAGES, "cpu")[2].mean() for one in (network, other_network)]
    pairs = [errors] + [(history[name], other_history[name]) for name in ("train_loss", "validation_loss")]
    return (
        np.linalg.norm(other_weights - weights) / np.linalg.norm(weights),
        max(np.abs(y / x - 1).max() for x, y in pairs),
    )


def test_one_worker_gives_the_bytes_of_one_machine(connected, tmp_path):
    assert differences(train(IMAGES, TINY), on_cluster(tmp_path, workers=1)) == (0, 0)


def test_it_is_the_same_through_the_head_of_a_cluster(outside, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="FITMAP_STORAGE"):
        on_cluster(tmp_path, workers=1)
    monkeypatch.setenv("FITMAP_STORAGE", str(tmp_path))
    assert differences(train(IMAGES, TINY), on_cluster(tmp_path, workers=1)) == (0, 0)


@functools.cache
def by_several(workers):
    """Trainings with each of the SETTINGS, by so many workers, undisturbed."""
    import ray.train.torch

    from stages.autoencoder.train_on_ray import ClusterWorker, packed, unpacked

    def train_each():
        settings = [TINY.model_copy(update=changes) for changes, _ in SETTINGS]
        return [packed(*train(IMAGES, params, worker=ClusterWorker())) for params in settings]

    with TemporaryDirectory() as folder:
        scaling, run = ray.train.ScalingConfig(num_workers=workers), ray.train.RunConfig(storage_path=folder)
        result = ray.train.torch.TorchTrainer(train_each, scaling_config=scaling, run_config=run).fit()
    return [unpacked(*trained) for trained in result.return_value]


@pytest.mark.parametrize("workers", [2, 3])
def test_several_give_the_same_but_for_the_order_of_sums(three_nodes, workers, count):
    too_large = []
    for (changes, most), trained in zip(SETTINGS, by_several(workers), strict=True):
        found = differences(train(IMAGES, TINY.model_copy(update=changes)), trained)
        print(*found, changes)
        if (np.array(found) > most).any():
            too_large.append((*found, changes))
        count("trainings shared among workers")
    assert not too_large


class Killer(threading.Thread):
    """Waits until a training has come to its fifth epoch, kills, and looks where it goes on."""

    def __init__(self, folder, kill):
        super().__init__(daemon=True)
        self.folder, self.kill, self.before, self.after = folder, kill, 0, []

    def run(self):
        while True:
            time.sleep(0.01)
            with suppress(InputError, KeyError, OSError):
                for path in self.folder.glob("train/checkpoint_*/train.npz"):
                    epochs = len(read_arrays(str(path))["history"])
                    if self.before:
                        self.after.append(epochs)
                    elif epochs >= 5:
                        self.kill()
                        self.before = epochs


def kill_a_worker(nodes):
    import psutil

    for node in nodes.nodes:
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in raylet.children():
            if "RayTrainWorker" in " ".join(process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                return


@pytest.mark.parametrize("lost", ["worker", "node"])
def test_a_lost_worker_is_made_good_from_the_last_checkpoint(three_nodes, lost, count, tmp_path):
    undisturbed = by_several(3)[1]
    killer = Killer(tmp_path, three_nodes.kill if lost == "node" else lambda: kill_a_worker(three_nodes))
    killer.start()
    trained = on_cluster(tmp_path, TINY.model_copy(update=SETTINGS[1][0]), interval=0)
    weights, losses = differences(undisturbed, trained)
    most = ROUNDING if lost == "node" else (0, 0)  # two workers go on where there were three
    assert weights <= most[0]
    assert losses <= most[1]
    assert killer.before
    assert min(killer.after) >= killer.before - 1  # one whose report had not come in is as good as none
    count(f"{lost}s killed in training")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without an NVIDIA GPU")
def test_an_error_of_the_input_is_told_as_on_one_machine(connected, tmp_path):
    with pytest.raises(InputError, match=r"autoencoder\.device = 'cuda' is not available"):
        on_cluster(tmp_path, TINY.model_copy(update={"device": "cuda"}))
