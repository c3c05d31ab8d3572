"""Training the autoencoder, and using it: images in as uint8, latents out as float32.

All images lie on the device as one tensor; a batch is an index into it. No labels are ever seen.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.latents.autoencoder import Autoencoder
from stages.pipeline.errors import InputError
from stages.pipeline.params import AutoencoderParams
from stages.pipeline.progress import progress

THREADS = 1  # sums are cut alike on every machine, and small batches gain little from more
WARMUP = 0.05  # share of all steps in which the learning rate rises
FIRST_LOG_VARIANCE = -2.0  # of the variational noise, which training then adapts
CHUNK = 1024  # images encoded at once
LOSSES = {"mse": functional.mse_loss, "l1": functional.l1_loss}


def train(images: np.ndarray, params: AutoencoderParams) -> tuple[Autoencoder, pd.DataFrame]:
    """Train on images (n, h, w) uint8 with AdamW, a short warm-up and a cosine down to zero.

    Returns the network (on the CPU) and its history: epoch, train_loss, validation_loss, learning_rate; both losses
    are of reconstructions. The validation images are drawn from `images` and only watched. Raises `InputError` for a
    device that is not there, and if the loss stops being finite.
    """
    device = choose_device(params.device, "autoencoder.device")
    torch.set_num_threads(THREADS)
    generator = torch.Generator().manual_seed(params.seed)
    everything = torch.from_numpy(images)[:, None]
    held_out = max(round(len(images) * params.validation_fraction), 1)
    validation, training = everything[torch.randperm(len(images), generator=generator)].tensor_split([held_out])

    network = new_network(images.shape[1:], params)
    network.start_as_pca(_intensities(training), generator)
    network, training, validation = network.to(device), training.to(device), validation.to(device)
    log_variance = nn.Parameter(torch.full((params.latent_dim,), FIRST_LOG_VARIANCE, device=device))
    optimizer = torch.optim.AdamW(
        [*network.parameters(), log_variance], lr=params.learning_rate, weight_decay=params.weight_decay, fused=True
    )
    steps = params.epochs * math.ceil(len(training) / params.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_then_cosine(step / steps))

    history = []
    for epoch in (bar := progress(range(1, params.epochs + 1), "training the autoencoder", unit="epoch")):
        learning_rate, total = optimizer.param_groups[0]["lr"], torch.zeros((), device=device)
        for batch in torch.randperm(len(training), generator=generator).split(params.batch_size):
            target = augmented(_intensities(training[batch.to(device)]), params, generator)
            loss, penalty = _loss(network, log_variance, target, params, generator)
            optimizer.zero_grad()
            (loss + penalty).backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * len(batch)
        losses = (total.item() / len(training), _validate(network, validation, params))
        if not all(map(math.isfinite, losses)):
            rate = f"autoencoder.learning_rate = {params.learning_rate:g}"
            raise InputError(f"params.yaml: {rate} is too large: the loss is no longer finite, try a tenth of it")
        history.append((epoch, *losses, learning_rate))
        bar.set_postfix(loss=f"{losses[0]:.5f}", validation=f"{losses[1]:.5f}")
    if params.whitening:
        network.whiten(_in_chunks(network.project, training), params.whitening)
    return network.cpu(), pd.DataFrame(history, columns=["epoch", "train_loss", "validation_loss", "learning_rate"])


def _loss(
    network: Autoencoder, log_variance: Tensor, target: Tensor, params: AutoencoderParams, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The loss of the images (n, 1, h, w) rebuilt from noisy ones through a noisy latent, and beta's penalty on it.

    The penalty is beta / pixels times the Kullback-Leibler divergence of N(p, exp(log_variance)) from N(0, 1) in nats
    (Kingma & Welling 2014, Higgins et al. 2017), with one variance (d,) shared by all images.
    """

    def normal(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator).to(like.device)

    images = target + params.noise * normal(target) if params.noise else target
    projections, penalty = network.project(images), target.new_zeros(())
    if params.beta:
        divergence = 0.5 * (projections.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        penalty = params.beta / target[0].numel() * divergence
        projections = projections + (log_variance / 2).exp() * normal(projections)
    return LOSSES[params.loss](network.render(projections), target), penalty


def new_network(image_shape: tuple[int, int], params: AutoencoderParams) -> Autoencoder:
    """The untrained network of `params`; its weights depend on the seed alone."""
    architecture = {
        "kind": params.architecture,
        "image_shape": list(image_shape),
        "latent_dim": params.latent_dim,
        "hidden": params.hidden_layers if params.architecture == "dense" else params.channels,
        "linear_path": params.linear_path,
        "length_compression": params.length_compression,
    }
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from the global generator only
        torch.manual_seed(params.seed)
        return Autoencoder(architecture)


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Autoencoder:
    """The trained network, from what was kept of it. Raises `InputError` if the two do not fit."""
    try:
        network = Autoencoder(architecture)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"the autoencoder's weights do not fit its architecture ({error}): run `dvc repro`") from None
    return network


def arrays_of(network: Autoencoder) -> dict[str, np.ndarray]:
    """The network's weights by name, float32."""
    return {name: tensor.contiguous().numpy() for name, tensor in network.state_dict().items()}


@torch.no_grad()
def encode(network: Autoencoder, images: np.ndarray, device: str) -> np.ndarray:
    """The latents (n, d) float32 of images (n, h, w) uint8."""
    network, chunks = _ready(network, images, device)
    return torch.cat([network.encode(chunk).cpu() for chunk in chunks]).numpy()


@torch.no_grad()
def reconstruct(network: Autoencoder, images: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray]:
    """What the network makes of images (n, h, w) uint8.

    Returns reconstructions (n, h, w) uint8, and each one's mean squared error (n,) float32 before rounding, of
    intensities 0 to 1.
    """
    network, chunks = _ready(network, images, device)
    pictures, errors = [], []
    for chunk in chunks:
        output = network.decode(network.encode(chunk))
        errors.append((output - chunk).square().mean(dim=(1, 2, 3)).cpu())
        pictures.append((output.clamp(0, 1) * 255).round().to(torch.uint8)[:, 0].cpu())
    return torch.cat(pictures).numpy(), torch.cat(errors).numpy()


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


def augmented(images: Tensor, params: AutoencoderParams, generator: torch.Generator) -> Tensor:
    """Images (n, 1, h, w), each shifted by up to `params.shift` pixels and, if `params.flip`, one in two mirrored."""
    images = shifted(images, params.shift, generator)
    if params.flip:
        mirrored = torch.rand(len(images), 1, 1, 1, generator=generator).to(images.device) < 0.5
        images = torch.where(mirrored, images.flip(3), images)
    return images


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each image (n, 1, h, w) moved by up to `most` whole pixels in both directions, its border repeated."""
    if not most:
        return images
    n, _, height, width = images.shape
    offsets = torch.randint(0, 2 * most + 1, (2, n, 1), generator=generator).to(images.device)
    rows = offsets[0] + torch.arange(height, device=images.device)
    columns = offsets[1] + torch.arange(width, device=images.device)
    padded = functional.pad(images, (most,) * 4, mode="replicate")[:, 0]
    which = torch.arange(n, device=images.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]][:, None]


def _intensities(images: Tensor) -> Tensor:
    return images.to(torch.float32) / 255


@torch.no_grad()
def _in_chunks(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return torch.cat([function(_intensities(chunk)) for chunk in images.split(CHUNK)])


@torch.no_grad()
def _validate(network: Autoencoder, images: Tensor, params: AutoencoderParams) -> float:
    total = 0.0
    for chunk in images.split(CHUNK):
        target = _intensities(chunk)
        total += LOSSES[params.loss](network.render(network.project(target)), target).item() * len(chunk)
    return total / len(images)


def _ready(network: Autoencoder, images: np.ndarray, device: str) -> tuple[Autoencoder, Iterator[Tensor]]:
    torch.set_num_threads(THREADS)
    place = choose_device(device, "latents.device")
    chunks = (_intensities(chunk.to(place)) for chunk in torch.from_numpy(images)[:, None].split(CHUNK))
    return network.to(place).eval(), chunks
