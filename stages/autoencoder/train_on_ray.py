"""Train on a Ray cluster: Ray Train starts a worker for each GPU or CPU, and each runs `training.train`.

The workers form one process group of torch.distributed, in which `train` uses DistributedDataParallel. Ray Train keeps
their checkpoints; after a loss it starts as many workers as still find room, from the last checkpoint.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import ray
import ray.train.torch
import torch
from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from stages.autoencoder.checkpoint import Checkpoint, key_of
from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import arrays_of, network_from, train, without_auto
from stages.cluster.connection import VARIABLE, address
from stages.common.errors import InputError
from stages.common.settings import AutoencoderParams

STORAGE = "FITMAP_STORAGE"  # environment variable: folder or address of checkpoints that every machine reaches
RETRIES = 5
SMALLEST_SHARE = 16  # images of a batch, below which one more worker costs more than it brings
EPOCHS_BETWEEN = 3  # of two checkpoints


def train_on_cluster(images: np.ndarray, params: AutoencoderParams, device: str) -> tuple[Autoencoder, pd.DataFrame]:
    """Return what `train` returns, computed by one worker for each GPU of the cluster, or without any for each CPU.

    Checkpoints lie in `.scratch/`, or where FITMAP_STORAGE says. Raises `InputError` as `train` does, if workers fail
    again and again, and without FITMAP_STORAGE on a cluster reached from outside, which cannot see `.scratch/`.
    """
    where, storage = address(), os.environ.get(STORAGE)
    if where and where.startswith("ray://") and not storage:
        raise InputError(
            f"{VARIABLE} = {where} needs {STORAGE} for the checkpoints of a training: let it name a folder, or an "
            "s3:// or gs:// address, that this machine and the cluster reach"
        )
    key, lent = key_of(images, params, device), ray.put(np.asarray(images))  # sent to each machine once

    def work() -> tuple | InputError:
        if torch.distributed.get_backend() == "nccl":  # a machine may have several GPUs
            torch.cuda.set_device(ray.train.torch.get_device())
        try:
            network, history = train(ray.get(lent), params, device, RayCheckpoint(key))
        except InputError as error:  # returned, as Ray Train would try again what is raised
            return error
        return network.architecture, arrays_of(network), history.to_dict("list")  # it does not return tensors

    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0)) if device in ("auto", "cuda") else 0
    batch_size = without_auto(params, images.shape[1:]).batch_size
    most = min(gpus or int(resources["CPU"]), max(batch_size // SMALLEST_SHARE, 1))
    trainer = TorchTrainer(
        work,
        scaling_config=ScalingConfig(num_workers=(1, most), use_gpu=gpus > 0),
        run_config=RunConfig(
            name=f"train_autoencoder_{key[:16]}",
            storage_path=storage or str(Path(".scratch").absolute()),
            failure_config=FailureConfig(max_failures=RETRIES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )
    try:
        result = trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise InputError(f"training on the cluster failed {RETRIES + 1} times, at last: {error}")
    result.filesystem.delete_dir(result.path)
    if isinstance(result.return_value, InputError):
        raise result.return_value
    architecture, arrays, history = result.return_value
    arrays = {name: array.copy() for name, array in arrays.items()}  # Ray's memory is gone once the cluster is left
    return network_from(architecture, arrays), pd.DataFrame(history)


class RayCheckpoint(Checkpoint):
    """A checkpoint kept by Ray Train: the first worker hands it over, and every worker gets it back."""

    epochs = 0

    def load(self) -> dict | None:
        if (reported := ray.train.get_checkpoint()) is None:
            return None
        with reported.as_directory() as folder:
            return Checkpoint(self.key, Path(folder, "state.pt")).load()

    def save(self, state: Callable[[], dict]) -> None:
        """Report a checkpoint after every third epoch; all workers call this, and all report at once."""
        self.epochs += 1
        if self.epochs % EPOCHS_BETWEEN:
            return
        with TemporaryDirectory() as folder:
            first = ray.train.get_context().get_world_rank() == 0
            if first:
                Checkpoint(self.key, Path(folder, "state.pt"), interval=0).save(state)
            ray.train.report({}, ray.train.Checkpoint(folder) if first else None)
