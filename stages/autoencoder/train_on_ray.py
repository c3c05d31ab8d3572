"""Training on a Ray cluster: the steps of one machine (stages/latents/training.py), each batch shared among workers.

Ray Train starts the workers, keeps their checkpoints, and after a loss starts them again from the last one, as many as
still find room. Every worker holds all images, as bytes, and draws the numbers for whole batches: the work on the
images is what is shared. The result is that of one machine but for the order of sums; with one worker, to the bit.
"""

import os
import time
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
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import Worker, arrays_of, network_from, train
from stages.cluster.connection import VARIABLE, address
from stages.common.checkpoint import Checkpoint, NoCheckpoint
from stages.common.errors import InputError
from stages.common.settings import AutoencoderParams

STORAGE = "FITMAP_STORAGE"  # environment variable: folder or address of checkpoints that every machine reaches
RETRIES = 5
SMALLEST_SHARE = 16  # images of a batch, below which one more worker costs more than it brings


def train_on_cluster(
    images: np.ndarray, params: AutoencoderParams, checkpoint: Checkpoint
) -> tuple[Autoencoder, pd.DataFrame]:
    """What `train` returns, by a worker for each GPU of the connected cluster, or without any for each CPU.

    Checkpoints lie in a folder beside that of a training on one machine, or where FITMAP_STORAGE says. Raises
    `InputError` as `train` does, if workers fail again and again, and without FITMAP_STORAGE on a cluster that is
    reached from outside, which does not have this machine's folders.
    """
    where, storage = address(), os.environ.get(STORAGE)
    if where and where.startswith("ray://") and not storage:
        raise InputError(
            f"{VARIABLE} = {where} needs {STORAGE} for the checkpoints of a training: let it name a folder, or an "
            "s3:// or gs:// address, that this machine and the cluster reach"
        )
    lent = ray.put(np.asarray(images))  # sent to each machine once

    def work() -> tuple | InputError:
        try:
            worker = ClusterWorker()
            return packed(*train(ray.get(lent), params, ReportedCheckpoint(checkpoint, worker), worker))
        except InputError as error:  # returned, since what is raised would be tried again
            return error

    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0)) if params.device in ("auto", "cuda") else 0
    most = min(gpus or int(resources["CPU"]), max(params.batch_size // SMALLEST_SHARE, 1))
    trainer = TorchTrainer(
        work,
        scaling_config=ScalingConfig(num_workers=(1, most), use_gpu=gpus > 0),
        run_config=RunConfig(
            name=checkpoint.path.stem,
            storage_path=storage or str(checkpoint.path.parent.absolute()),
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
    return unpacked(*result.return_value)


def packed(network: Autoencoder, history: pd.DataFrame) -> tuple[dict, dict[str, np.ndarray], dict[str, list]]:
    """What `train` has returned, without tensors, which Ray Train does not take from workers."""
    return network.architecture, arrays_of(network), history.to_dict("list")


def unpacked(
    architecture: dict, arrays: dict[str, np.ndarray], history: dict[str, list]
) -> tuple[Autoencoder, pd.DataFrame]:
    """The reverse, in memory of its own: that of Ray is gone once the cluster is left."""
    return network_from(architecture, {name: array.copy() for name, array in arrays.items()}), pd.DataFrame(history)


class ClusterWorker(Worker):
    """One of the workers that Ray Train has started and connected."""

    def __init__(self):
        context = ray.train.get_context()
        self.rank, self.count = context.get_world_rank(), context.get_world_size()
        self.device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        if self.device == "cuda":  # a machine may have several
            torch.cuda.set_device(ray.train.torch.get_device())

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
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(totals)
        return totals.tolist()

    def joined(self, objective: nn.Module) -> nn.Module:
        # beta = 0 leaves a weight unused. To look for such ones also keeps DDP from rearranging its buckets after its
        # first step, so that a resumed training adds gradients up in the order of an undisturbed one.
        return DistributedDataParallel(objective, find_unused_parameters=True)


class ReportedCheckpoint(NoCheckpoint):
    """The stage's checkpoint, kept by Ray Train: the first worker hands its file over, every worker gets it back."""

    def __init__(self, kept: Checkpoint, worker: ClusterWorker):
        self.kept, self.worker = kept, worker
        self.saved = time.monotonic()

    def load(self) -> dict[str, np.ndarray] | None:
        if (reported := ray.train.get_checkpoint()) is None:
            return None
        with reported.as_directory() as folder:
            return self._file(folder).load()

    def save(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        """All workers report at once or none does; Ray Train looks for reports every two seconds only."""
        [waited] = self.worker.total(time.monotonic() - self.saved)
        if waited < self.kept.interval * self.worker.count:
            return
        with TemporaryDirectory() as folder:
            if self.worker.rank == 0:
                self._file(folder).save(state)
            ray.train.report({}, ray.train.Checkpoint(folder) if self.worker.rank == 0 else None)
        self.saved = time.monotonic()

    def _file(self, folder: str) -> Checkpoint:
        return Checkpoint(Path(folder) / self.kept.path.name, self.kept.key, interval=0)
