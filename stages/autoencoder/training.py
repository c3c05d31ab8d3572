"""Training the autoencoder, and using it: images in as uint8, latents out as float32.

All images lie on the device as one tensor; a batch is an index into it. No labels are ever seen.

Each image of a batch has a view: the same image a little moved, turned and stretched, which shows the same garment.
Its latent is drawn towards the image's own (`consistency`), so that neighbours in latent space are alike in kind
rather than in pose (the idea of Chopra et al. 2005 and Chen et al. 2020, without negative examples: rebuilding the
images keeps the latents apart).
"""

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.autoencoder.cuda_graph import Recorded
from stages.autoencoder.network import Autoencoder
from stages.common.checkpoint import NoCheckpoint
from stages.common.errors import InputError
from stages.common.network_weights import filled, restore, state_of
from stages.common.progress import progress
from stages.common.settings import MOST_WEIGHTS, AutoencoderParams

THREADS = 1  # sums are cut alike on every machine, and small batches gain little from more
WARMUP = 0.05  # share of all steps in which the learning rate rises
FIRST_LOG_VARIANCE = -2.0  # of the variational noise, which training then adapts
CHUNK = 1024  # images encoded at once
SMALLEST_SPREAD = 1e-12  # of latents that are all the same
torch.backends.cudnn.deterministic = True  # the same bytes again on the same GPU
HISTORY = ["epoch", "train_loss", "validation_loss", "learning_rate"]
LOSSES = {"mse": functional.mse_loss, "l1": functional.l1_loss}


class Worker:
    """Who computes a share of every batch: here one alone, on a cluster one of many (stages/cluster/training.py).

    Each of several workers draws the same random numbers, for whole batches, and uses those of its share, so that all
    of them together take the steps that one alone would take, but for the order of sums.
    """

    count = 1

    def share(self, rows: Tensor, dim: int = 0) -> Tensor:
        """What is this worker's of the rows, or of another dimension, of a batch."""
        return rows

    def whole(self, rows: Tensor, n: int) -> Tensor:
        """All n rows of the batch, of which `rows` are this worker's share; the others' pass no gradient on."""
        return rows

    def total(self, *values: float) -> list[float]:
        """Each value summed over the workers."""
        return list(values)

    def joined(self, objective: nn.Module) -> nn.Module:
        """The objective with the same weights for each worker, and the mean of their gradients."""
        return objective


def train(
    images: np.ndarray,
    params: AutoencoderParams,
    device: str = "auto",
    checkpoint: NoCheckpoint | None = None,
    worker: Worker | None = None,
) -> tuple[Autoencoder, pd.DataFrame]:
    """Train on images (n, h, w) uint8 with AdamW, a short warm-up and a cosine down to zero.

    Returns the network (on the CPU) and its history: epoch, train_loss, validation_loss, learning_rate; both losses
    are of reconstructions. The validation images are drawn from `images` and only watched. What `checkpoint` holds of
    an interrupted training is gone on with, to the same bits. Raises `InputError` for a
    device that is not there, and if the loss stops being finite.
    """
    strength = params.view_strength
    params = SimpleNamespace(
        **params.model_dump(), whitening=0, noise=0, flip=False, loss="mse", beta=params.kl_weight,
        consistency=params.view_consistency, shift=strength, rotation=8 * strength, stretching=0.08 * strength,
        linear_path=True, length_compression=0.75, weight_decay=0.01, validation_fraction=0.05,
    )  # fmt: skip
    device = choose_device(device, "device")
    torch.set_num_threads(THREADS)
    generator = torch.Generator().manual_seed(params.seed)
    everything = torch.from_numpy(images)[:, None]
    held_out = max(round(len(images) * params.validation_fraction), 1)
    validation, training = everything[torch.randperm(len(images), generator=generator)].tensor_split([held_out])

    network = new_network(images.shape[1:], params)
    network.start_as_pca(_intensities(training), generator)
    checkpoint, worker = checkpoint or NoCheckpoint(), worker or Worker()
    training, validation, watched = training.to(device), worker.share(validation).to(device), len(validation)
    trained = Objective(network, params, worker).to(device)
    objective = worker.joined(trained)
    recorded = device.type == "cuda" and objective is trained  # what workers say to each other is in no graph
    optimizer = torch.optim.AdamW(
        trained.parameters(),
        lr=torch.tensor(params.learning_rate, device=device) if recorded else params.learning_rate,
        weight_decay=params.weight_decay,
        fused=True,
        capturable=recorded,
    )

    def step(n: int, images: Tensor, *chance: Tensor) -> Tensor:
        loss, aim = objective(_intensities(images), n, *chance)
        optimizer.zero_grad()
        aim.backward()
        optimizer.step()
        return loss.detach()

    take = Recorded(step) if recorded else step
    in_epoch = math.ceil(len(training) / params.batch_size)
    steps, history = params.epochs * in_epoch, []
    if state := checkpoint.load():
        history = [(int(epoch), *values) for epoch, *values in state["history"].tolist()]
        restore(state, trained, optimizer, generator)
    group, done = optimizer.param_groups[0], range(len(history) * in_epoch, steps)
    rates = iter([params.learning_rate * warmup_then_cosine(number / steps) for number in done])

    epochs = range(len(history) + 1, params.epochs + 1)
    for epoch in (bar := progress(epochs, "training the autoencoder", unit="epoch")):
        total = torch.zeros((), device=device)
        for batch in torch.randperm(len(training), generator=generator).to(device).split(params.batch_size):
            learning_rate, share = next(rates), worker.share(batch)
            group["lr"] = group["lr"].fill_(learning_rate) if recorded else learning_rate
            chance = (part.to(device) for part in draw(params, worker, len(batch), training.shape[2:], generator))
            loss = take(len(batch), training[share], *chance)
            if len(share):  # the mean over no image is no number
                total += loss * len(share)
        total, validation_total = worker.total(total.item(), _validate(network, validation, params))
        losses = (total / len(training), validation_total / watched)
        if not all(map(math.isfinite, losses)):
            rate = f"autoencoder.learning_rate = {params.learning_rate:g}"
            raise InputError(f"params.yaml: {rate} is too large: the loss is no longer finite, try a tenth of it")
        history.append((epoch, *losses, learning_rate))
        checkpoint.save(lambda: {**state_of(trained, optimizer, generator), "history": np.array(history)})
        bar.set_postfix(loss=f"{losses[0]:.5f}", validation=f"{losses[1]:.5f}")
    if params.whitening:
        network.whiten(_in_chunks(network.project, training), params.whitening)
    return network.cpu(), pd.DataFrame(history, columns=HISTORY)


class Objective(nn.Module):
    """What training minimises, with all that it changes: the network and the variance of its latents' noise."""

    def __init__(self, network: Autoencoder, params: AutoencoderParams, worker: Worker):
        super().__init__()
        self.network, self.params, self.worker = network, params, worker
        self.log_variance = nn.Parameter(torch.full((params.latent_dim,), FIRST_LOG_VARIANCE))

    def forward(
        self, images: Tensor, n: int, uniform: Tensor, noise: Tensor, latent_noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss of the images (m, 1, h, w) rebuilt from noisy ones through a noisy latent, and what to minimise.

        The images are the worker's share of a batch of n; the rest is what `draw` returns. To their loss comes
        beta / pixels times the Kullback-Leibler divergence of N(p, exp(log_variance)) from N(0, 1) in nats, with one
        variance (d,) shared by all images (Kingma & Welling 2014, Higgins et al. 2017), and `consistency` times the
        `disagreement` of the images' latents with their views', which is one of the whole batch. Without consistency
        the views are what is rebuilt: plain augmentation.
        """
        network, params, worker, log_variance = self.network, self.params, self.worker, self.log_variance
        views = altered(images, params, uniform)
        target = images if params.consistency else views
        noisy = target + params.noise * noise if params.noise else target
        divergence = difference = 0.0
        if params.consistency:  # one pass for both is faster than two
            projections, projected_views = network.project(torch.cat([noisy, views])).chunk(2)
            latents = (worker.whole(network.compress(some), n) for some in (projections, projected_views))
            difference = disagreement(*latents)
        else:
            projections = network.project(noisy)
        if params.beta:
            divergence = 0.5 * (projections.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
            projections = projections + (log_variance / 2).exp() * latent_noise
        loss = LOSSES[params.loss](network.render(projections), target)
        own = len(images) / n * (loss + params.beta / images.shape[1:].numel() * divergence)
        return loss, worker.count * (own + params.consistency * difference)  # of which the workers' mean is taken


def draw(
    params: AutoencoderParams, worker: Worker, n: int, pixels: torch.Size, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The random numbers of a step on n images of `pixels` (h, w), this worker's share of them, on the CPU.

    Uniform ones (6, m) for the images' views, and normal ones for the images (m, 1, h, w) and for their latents (m, d),
    without elements where noise or beta is 0.
    """
    uniform = worker.share(torch.rand(6, n, generator=generator), dim=1)
    noise = torch.randn(n if params.noise else 0, 1, *pixels, generator=generator)
    latent_noise = torch.randn(n if params.beta else 0, params.latent_dim, generator=generator)
    return uniform, worker.share(noise), worker.share(latent_noise)


def disagreement(latents: Tensor, others: Tensor) -> Tensor:
    """Mean squared distance of latents (n, d) from those of the same images' views, over that of unrelated latents.

    0 if no view moves a latent, about 1 if views tell nothing; the latents' scale does not matter.
    """
    spread = sum(z.var(dim=0, correction=0).sum() for z in (latents, others))
    return (latents - others).square().sum(dim=1).mean() / spread.clamp_min(SMALLEST_SPREAD)


def new_network(image_shape: tuple[int, int], params: AutoencoderParams) -> Autoencoder:
    """The untrained network of `params`; its weights depend on the seed alone. Raises `InputError` for too many."""
    architecture = {
        "kind": params.architecture,
        "image_shape": list(image_shape),
        "latent_dim": params.latent_dim,
        "hidden": params.hidden_layers if params.architecture == "dense" else params.channels,
        "linear_path": params.linear_path,
        "length_compression": params.length_compression,
    }
    with torch.device("meta"):
        weights = sum(parameter.numel() for parameter in Autoencoder(architecture).parameters())
    if weights > MOST_WEIGHTS:
        layers = "hidden_layers" if params.architecture == "dense" else "channels"
        raise InputError(
            f"params.yaml: autoencoder.{layers} and latent_dim ask for {weights:,} weights, at most {MOST_WEIGHTS:,} "
            "fit: make them smaller, or images.size"
        )
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from the global generator only
        torch.manual_seed(params.seed)
        return Autoencoder(architecture)


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Autoencoder:
    """The trained network, from what was kept of it. Raises `InputError` if the two do not fit."""

    def rebuild(network: Autoencoder) -> Tensor:
        return network.decode(network.encode(torch.zeros(1, 1, *architecture["image_shape"])))

    return filled(lambda: Autoencoder(architecture), arrays, rebuild, "autoencoder")


def arrays_of(network: Autoencoder) -> dict[str, np.ndarray]:
    """The network's weights by name, float32."""
    return {name: tensor.contiguous().numpy() for name, tensor in network.state_dict().items()}


@torch.no_grad()
def encode(network: Autoencoder, images: np.ndarray, device: str) -> np.ndarray:
    """The latents (n, d) float32 of images (n, h, w) uint8."""
    network, chunks = _ready(network, images, device)
    return torch.cat([network.encode(chunk).cpu() for chunk in chunks]).numpy()


@torch.no_grad()
def reconstruct(network: Autoencoder, images: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The latents of images (n, h, w) uint8, as `encode`, and what the network makes of them.

    Returns latents (n, d) float32, reconstructions (n, h, w) uint8, and each one's mean squared error (n,) float32
    before rounding, of intensities 0 to 1.
    """
    network, chunks = _ready(network, images, device)
    parts = []
    for chunk in chunks:
        latents = network.encode(chunk)
        output = network.decode(latents)
        pictures = (output.clamp(0, 1) * 255).round().to(torch.uint8)[:, 0]
        parts.append([part.cpu() for part in (latents, pictures, (output - chunk).square().mean(dim=(1, 2, 3)))])
    return tuple(torch.cat(column).numpy() for column in zip(*parts, strict=True))


def choose_device(name: str, key: str) -> torch.device:
    """The device of that name; `auto` is a GPU if there is one. Raises `InputError` if it is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[name]:
        raise InputError(f"params.yaml: {key} = {name!r} is not available on this machine: set it to auto or cpu")
    return torch.device(name)


def warmup_then_cosine(done: float) -> float:
    """Factor of the learning rate when the share `done` (0 to 1) of all steps is done (Loshchilov & Hutter 2017)."""
    if done < WARMUP:
        return max(done, 1e-3) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (done - WARMUP) / (1 - WARMUP)))


def altered(images: Tensor, params: AutoencoderParams, uniform: Tensor) -> Tensor:
    """A view of each image (n, 1, h, w): moved, turned, stretched and mirrored by chance, its border repeated.

    Up to `shift` pixels and `rotation` degrees either way, each side longer or shorter by a share of up to
    `stretching`, and one in two mirrored if `flip`. As torchvision's RandomAffine, but all images at once and each by
    its own chance, six uniform numbers `uniform` (6, n) from 0 to 1.
    """
    n, _, height, width = images.shape
    if n == 0:  # which affine_grid refuses
        return images
    chance = 2 * uniform - 1
    angle = chance[0] * math.radians(params.rotation)
    across, down = 1 + params.stretching * chance[1:3]
    right, below = 2 * params.shift * chance[3] / width, 2 * params.shift * chance[4] / height
    mirror = chance[5].sign() if params.flip else torch.ones_like(angle)
    # where in the image (both sides from -1 to 1) each pixel of its view is taken from
    rows = [
        torch.stack([mirror * across * angle.cos(), -down * angle.sin() * height / width, right], dim=1),
        torch.stack([mirror * across * angle.sin() * width / height, down * angle.cos(), below], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _intensities(images: Tensor) -> Tensor:
    return images.to(torch.float32) / 255


@torch.no_grad()
def _in_chunks(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return torch.cat([function(_intensities(chunk)) for chunk in images.split(CHUNK)])


@torch.no_grad()
def _validate(network: Autoencoder, images: Tensor, params: AutoencoderParams) -> float:
    """The sum of the images' losses."""
    total = 0.0
    for chunk in images.split(CHUNK) if len(images) else ():
        target = _intensities(chunk)
        total += LOSSES[params.loss](network.render(network.project(target)), target).item() * len(chunk)
    return total


def _ready(network: Autoencoder, images: np.ndarray, device: str) -> tuple[Autoencoder, Iterator[Tensor]]:
    torch.set_num_threads(THREADS)
    if list(images.shape[1:]) != network.architecture["image_shape"]:
        raise InputError(
            f"images are {images.shape[1:]} pixels, those that the autoencoder learned were "
            f"{tuple(network.architecture['image_shape'])}: run `dvc repro`"
        )
    place = choose_device(device, "latents.device")
    chunks = (_intensities(chunk.to(place)) for chunk in torch.from_numpy(images)[:, None].split(CHUNK))
    return network.to(place).eval(), chunks
