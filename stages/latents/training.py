"""Training the autoencoder, and using it: images in as uint8, latents out as float32.

All images lie on the device as one tensor; a batch is an index into it. No labels are ever seen.
"""

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from stages.latents.autoencoder import Autoencoder
from stages.pipeline.errors import InputError
from stages.pipeline.params import AutoencoderParams
from stages.pipeline.progress import progress

THREADS = 2  # a fixed number, so that floating-point sums are cut alike on every machine
WARMUP = 0.05  # share of all steps in which the learning rate rises
CHUNK = 1024  # images encoded at once
LOSSES = {"mse": functional.mse_loss, "l1": functional.l1_loss}


def train(images: np.ndarray, params: AutoencoderParams) -> tuple[Autoencoder, pd.DataFrame]:
    """Train on images (n, h, w) uint8 with AdamW, a short warm-up and a cosine down to zero.

    Returns the network (on the CPU) and its history: epoch, train_loss, validation_loss, learning_rate. The
    validation images are drawn from `images` and only watched. Raises `InputError` for a device that is not there.
    """
    device = choose_device(params.device, "autoencoder.device")
    torch.set_num_threads(THREADS)
    generator = torch.Generator().manual_seed(params.seed)
    order = torch.randperm(len(images), generator=generator)
    held_out = max(round(len(images) * params.validation_fraction), 1)
    everything = torch.from_numpy(images)[:, None]
    validation, training = everything[order[:held_out]].to(device), everything[order[held_out:]].to(device)

    network = new_network(images.shape[1:], params)
    network.start_as_pca(_intensities(everything[order[held_out:]]), generator)
    network.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    steps = params.epochs * math.ceil(len(training) / params.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_then_cosine(step / steps))
    loss_of = LOSSES[params.loss]

    history = []
    for epoch in (bar := progress(range(1, params.epochs + 1), "training the autoencoder", unit="epoch")):
        learning_rate, total = optimizer.param_groups[0]["lr"], torch.zeros((), device=device)
        for batch in torch.randperm(len(training), generator=generator).split(params.batch_size):
            target = shifted(_intensities(training[batch.to(device)]), params.shift, generator)
            noise = params.noise * torch.randn(target.shape, generator=generator).to(device) if params.noise else 0
            loss = loss_of(network.decode(network.encode(target + noise)), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * len(batch)
        losses = (total.item() / len(training), _validate(network, validation, loss_of))
        history.append((epoch, *losses, learning_rate))
        bar.set_postfix(loss=f"{losses[0]:.5f}", validation=f"{losses[1]:.5f}")
    return network.cpu(), pd.DataFrame(history, columns=["epoch", "train_loss", "validation_loss", "learning_rate"])


def new_network(image_shape: tuple[int, int], params: AutoencoderParams) -> Autoencoder:
    """The untrained network of `params`; its weights depend on the seed alone."""
    architecture = {
        "kind": params.architecture,
        "image_shape": list(image_shape),
        "latent_dim": params.latent_dim,
        "hidden": params.hidden_layers if params.architecture == "dense" else params.channels,
        "linear_path": params.linear_path,
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


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each image (n, 1, h, w) moved by up to `most` whole pixels in both directions, zeros moving in."""
    if not most:
        return images
    n, _, height, width = images.shape
    offsets = torch.randint(0, 2 * most + 1, (2, n, 1), generator=generator).to(images.device)
    rows = offsets[0] + torch.arange(height, device=images.device)
    columns = offsets[1] + torch.arange(width, device=images.device)
    padded = functional.pad(images[:, 0], (most,) * 4)
    which = torch.arange(n, device=images.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]][:, None]


def _intensities(images: Tensor) -> Tensor:
    return images.to(torch.float32) / 255


@torch.no_grad()
def _validate(network: Autoencoder, images: Tensor, loss_of) -> float:
    total = 0.0
    for chunk in _intensities(images).split(CHUNK):
        total += loss_of(network.decode(network.encode(chunk)), chunk).item() * len(chunk)
    return total / len(images)


def _ready(network: Autoencoder, images: np.ndarray, device: str):
    torch.set_num_threads(THREADS)
    place = choose_device(device, "latents.device")
    chunks = (_intensities(chunk.to(place)) for chunk in torch.from_numpy(images)[:, None].split(CHUNK))
    return network.to(place).eval(), chunks
