"""Training on a Ray cluster: the steps of one machine (stages/latents/training.py), each batch shared among workers.

Ray Train starts the workers, keeps their checkpoints, and after a loss starts them again from the last one, as many as
still find room. Every worker holds all images, as bytes, and draws the numbers for all of them: only the work on
the images is shared out. The result is that of one machine but for the order of sums, and with one worker the same bits.
"""

import math
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import ray
import ray.train.torch
import torch
from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from torch import Tensor, distributed, nn

from stages.latents.autoencoder import Autoencoder
from stages.latents.training import Worker, arrays_of, network_from, train
from stages.pipeline.checkpoint import FOLDER, Checkpoint, NoCheckpoint
from stages.pipeline.errors import InputError
from stages.pipeline.params import AutoencoderParams

STORAGE = "FITMAP_STORAGE"  # environment variable: folder or address of checkpoints that every machine reaches
RETRIES = 5
SMALLEST_SHARE = 16  # images of a batch, below which one more worker costs more than it brings
STATE = "state.npz"


def train_on_cluster(
    images: np.ndarray, params: AutoencoderParams, checkpoint: NoCheckpoint
) -> tuple[Autoencoder, pd.DataFrame]:
    """What `train` returns, by all GPUs of the connected cluster or else all CPUs, one worker for each.

    The checkpoint's key says which earlier state may be gone on with. Raises `InputError` as `train` does, and if
    workers fail again and again.
    """
    lent = ray.put(images)  # once for each machine, not once for each worker
    key = checkpoint.key

    def work() -> tuple[dict, dict[str, np.ndarray], pd.DataFrame] | InputError:
        try:
            network, history = train(ray.get(lent), params, ReportedCheckpoint(key), ClusterWorker())
            return network.architecture, arrays_of(network), history
        except InputError as error:  # returned, since what is raised would be tried again
            return error

    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0)) if params.device in ("auto", "cuda") else 0
    most = min(gpus or int(resources["CPU"]), math.ceil(params.batch_size / SMALLEST_SHARE))
    trainer = TorchTrainer(
        work,
        scaling_config=ScalingConfig(num_workers=(1, most), use_gpu=gpus > 0),
        run_config=RunConfig(
            name="train_autoencoder",
            storage_path=os.environ.get(STORAGE, str(FOLDER.absolute())),
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
    return network_from(architecture, arrays), history


class ClusterWorker(Worker):
    """One of the workers that Ray Train has started and connected."""

    def __init__(self):
        context = ray.train.get_context()
        self.rank, self.count = context.get_world_rank(), context.get_world_size()

    def share(self, rows: Tensor, dim: int = 0) -> Tensor:
        return rows.tensor_split(self.count, dim)[self.rank]

    def whole(self, rows: Tensor, n: int) -> Tensor:
        everyones = rows.new_zeros(n, *rows.shape[1:])
        self.share(everyones).copy_(rows.detach())
        distributed.all_reduce(everyones)  # adds only zeros: exact, and shares may differ in size
        shares = list(everyones.tensor_split(self.count))
        shares[self.rank] = rows
        return torch.cat(shares)

    def total(self, *values: float) -> list[float]:
        totals = torch.tensor(values, dtype=torch.float64, device=ray.train.torch.get_device())
        distributed.all_reduce(totals)
        return totals.tolist()

    def joined(self, objective: nn.Module) -> nn.Module:
        """As DistributedDataParallel. That it looks for unused weights (beta = 0 leaves one) also keeps its buckets as
        they are, so that a resumed training adds up gradients in the order of an undisturbed one."""
        options = {"find_unused_parameters": True, "broadcast_buffers": False}
        return ray.train.torch.prepare_model(objective, move_to_device=False, parallel_strategy_kwargs=options)


class ReportedCheckpoint(NoCheckpoint):
    """A checkpoint's file, which the first worker hands to Ray Train and every worker gets back."""

    def __init__(self, key: str):
        self.key = key

    def load(self) -> dict[str, np.ndarray] | None:
        if (kept := ray.train.get_checkpoint()) is None:
            return None
        with kept.as_directory() as folder:
            return Checkpoint(Path(folder) / STATE, self.key, 0).load()

    def save(self, state) -> None:
        with TemporaryDirectory() as folder:
            first = ray.train.get_context().get_world_rank() == 0
            if first:
                Checkpoint(Path(folder) / STATE, self.key, 0).save(state)
            ray.train.report({}, ray.train.Checkpoint.from_directory(folder) if first else None)
