"""Training by two workers reaches the test error of one machine, within 5 %, also if a worker is lost."""

import os
import signal
import threading
import time

import numpy as np
import pytest
import torch

from stages.autoencoder.training import reconstruct, train
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.images.garments.garments import draw_garments

pytestmark = pytest.mark.cluster

IMAGES, TEST_IMAGES = draw_garments(600, seed=0)[0], draw_garments(150, seed=1)[0]
TINY = load_params("autoencoder").model_copy(update={"latent_dim": 8, "epochs": 20})
TOLERANCE = 0.05  # of the test error


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Checkpoints in a folder of the test; Ray Train checks its workers more often than every two seconds."""
    monkeypatch.setenv("FITMAP_STORAGE", str(tmp_path))
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.1")
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "10")


def error_of(network) -> float:
    return float(np.mean(reconstruct(network, TEST_IMAGES, device="cpu")[2]))


@pytest.fixture(scope="module")
def local_error() -> float:
    return error_of(train(IMAGES, TINY, "cpu")[0])


def kill_a_worker(nodes, folder, killed: list[int]) -> None:
    """Kill a worker of the training once there is a checkpoint."""
    import psutil

    while not list(folder.glob("train_autoencoder_*/checkpoint_*/state.pt")):
        time.sleep(0.05)
    for node in nodes.nodes:
        for process in psutil.Process(node.all_processes["raylet"][0].process.pid).children():
            if "RayTrainWorker" in " ".join(process.cmdline()) and not killed:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)


@pytest.mark.parametrize("lost", [False, True], ids=["undisturbed", "a worker lost"])
def test_two_workers_reach_the_error_of_one_machine(connected, local_error, tmp_path, lost):
    from stages.autoencoder.train_on_ray import train_on_cluster

    killed: list[int] = []
    if lost:
        threading.Thread(target=kill_a_worker, args=(connected, tmp_path, killed), daemon=True).start()
    network, history = train_on_cluster(IMAGES, TINY, "cpu")
    assert bool(killed) == lost
    assert history["epoch"].tolist() == list(range(1, TINY.epochs + 1))
    assert error_of(network) == pytest.approx(local_error, rel=TOLERANCE)
    assert not list(tmp_path.glob("train_autoencoder_*/checkpoint_*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without an NVIDIA GPU")
def test_an_error_of_the_input_is_reported_as_on_one_machine(connected):
    from stages.autoencoder.train_on_ray import train_on_cluster

    with pytest.raises(InputError, match="cuda"):
        train_on_cluster(IMAGES, TINY, "cuda")
