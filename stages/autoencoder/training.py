"""Train the autoencoder, and use it: images in as uint8, latents out as float32. No labels are used.

All images lie on the device as one tensor, and a batch is an index into it. Each image has a random view, which shows
the same thing. With dense layers the loss turns the latents of the two in one direction, so that neighbours in latent
space are alike in what they show rather than in their pose (Chopra et al. 2005, Chen et al. 2020; no negative examples
are needed, as rebuilding the images keeps the latents apart). Convolutions learn from the views alone: more images.
"""

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, distributed
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from stages.autoencoder.augmented_views import mirrored_and_shifted, random_views
from stages.autoencoder.checkpoint import Checkpoint
from stages.autoencoder.network import LARGEST_DENSE, Autoencoder
from stages.common.errors import InputError
from stages.common.network_weights import filled
from stages.common.progress import progress
from stages.common.settings import MOST_WEIGHTS, AutoencoderParams

# Constants, since the number of threads changes the last bits of a sum. Dense layers are no faster with more.
THREADS = {"dense": 1, "conv": 2}
VALIDATION_FRACTION = 0.05
WEIGHT_DECAY = 0.01
LENGTH_POWER = 0.25  # see network.py
AUTO = {  # what `auto` means
    "dense": {"learning_rate": 0.005, "batch_size": 128, "epochs": 12, "view_consistency": 0.05},
    "conv": {"learning_rate": 0.02, "batch_size": 32, "epochs": 24, "view_consistency": 0},
}
VIEWS = {"dense": random_views, "conv": mirrored_and_shifted}
WARMUP = 0.05  # fraction of all steps in which the learning rate rises
CHUNK = 256  # images encoded at once
LONG, LARGE = 60, 2  # seconds and GB of a training that are announced
HISTORY = ["epoch", "train_loss", "validation_loss", "learning_rate"]
torch.backends.cudnn.deterministic = True  # the same bytes again on the same GPU


def train(
    images: np.ndarray,
    params: AutoencoderParams,
    device: str,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[list[tuple]], None] = lambda history: None,
) -> tuple[Autoencoder, pd.DataFrame]:
    """Train on images uint8 (n, h, w) or (n, h, w, 3) with a short warm-up and a cosine down to zero.

    Returns the network (on the CPU) and its history: epoch, train_loss, validation_loss, learning_rate. Both losses are
    mean squared errors of reconstructions; the validation images, drawn from `images`, are only watched. Resumes from
    `checkpoint`; the result is bit-identical on the same machine. Calls `watch` with the rows of the history so far, at
    the start and after each epoch. Raises `InputError` for a device that is missing and if the loss stops being finite.

    In a process group of torch.distributed, each worker takes its share of every batch: DistributedDataParallel.
    """
    place, params = choose_device(device), without_auto(params, images.shape[1:])
    name = params.architecture
    torch.set_num_threads(THREADS[name])
    rank, workers = 0, 1
    if distributed.is_initialized():
        rank, workers = distributed.get_rank(), distributed.get_world_size()

    generator = torch.Generator().manual_seed(params.seed)
    order = torch.randperm(len(images), generator=generator)
    validation, training = order.tensor_split([max(round(len(images) * VALIDATION_FRACTION), 1)])
    validation, training = (as_tensor(images[rows.numpy()]).to(place) for rows in (validation, training))
    network = new_network(images.shape[1:], params)
    network.start_as_pca(training, generator)
    model = network.to(place)
    if workers > 1:
        model = DistributedDataParallel(network)
    optimizers = optimizers_of(network, params.learning_rate)

    in_epoch = len(training) // workers * workers  # as many images for each worker
    batch_size = max(params.batch_size // workers, 1)
    steps = math.ceil(in_epoch / workers / batch_size)
    if rank == 0:
        announce(network, training[:batch_size], params.view_consistency > 0, params.epochs * steps)
    history = []
    if state := checkpoint and checkpoint.load():
        network.load_state_dict(state["network"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        history = state["history"]
    watch(history)

    for epoch in (bar := progress(range(len(history), params.epochs), "training the autoencoder", unit="epoch")):
        shuffled = torch.randperm(len(training), generator=generator_of(params.seed, epoch))[:in_epoch]
        chance = generator_of(params.seed, epoch, rank, device=place)  # views and noise, other ones on each worker
        total = torch.zeros((), device=place)
        for step, batch in enumerate(shuffled[rank::workers].to(place).split(batch_size)):
            rate = params.learning_rate * warmup_then_cosine((epoch * steps + step) / (params.epochs * steps))
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = rate
            targets = intensities(training[batch])
            views = VIEWS[name](targets, params.view_strength, chance)
            if not params.view_consistency:
                targets, views = views, views[:0]
            noise = torch.randn(len(batch), params.latent_dim, generator=chance, device=place)
            noise *= params.kl_weight > 0  # a plain autoencoder has none
            reconstructions, vectors, view_vectors = model(targets, views, noise)
            error, penalty = loss(
                reconstructions, targets, vectors, view_vectors, network.log_variance, network.scales, params
            )
            network.zero_grad()
            (error + penalty).backward()
            for optimizer in optimizers:
                optimizer.step()
            total += error.detach() * len(batch)
        losses = total.item() / len(shuffled[rank::workers]), mean_squared_error(network, validation)
        if not math.isfinite(losses[1]):
            key = f"autoencoder.learning_rate = {params.learning_rate:g}"
            raise InputError(f"params.yaml: {key} is too large: the loss is no longer finite, try a tenth of it")
        history.append((epoch + 1, *losses, rate))
        watch(history)
        bar.set_postfix(loss=f"{losses[0]:.5f}", validation=f"{losses[1]:.5f}", refresh=False)
        if checkpoint:
            checkpoint.save(
                lambda: {
                    "network": network.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                    "history": history,
                }
            )
    return network.cpu(), pd.DataFrame(history, columns=HISTORY)


def optimizers_of(network: Autoencoder, rate: float) -> list[torch.optim.Optimizer]:
    """Return AdamW for all that is learnt; for the matrices of convolutions Muon instead (Jordan et al. 2024).

    Muon moves a matrix by the same length in each of its directions, so that convolutions need fewer steps.
    """
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if network.is_dense:
        return [torch.optim.AdamW(learnt, lr=rate, weight_decay=WEIGHT_DECAY, fused=True)]
    matrices = [parameter for parameter in learnt if parameter.ndim == 2]
    others = [parameter for parameter in learnt if parameter.ndim < 2]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=WEIGHT_DECAY),
        torch.optim.AdamW(others, lr=rate, weight_decay=WEIGHT_DECAY, fused=True),
    ]


def announce(network: Autoencoder, batch: Tensor, with_views: bool, steps: int) -> None:
    """Print the time and memory that `steps` steps on batches like uint8 (n, c, h, w) take, if they are long or large.

    `with_views` says whether a view of each image is encoded too. Two steps are tried without changing the network; the
    second is timed, and what it keeps for its gradient counted.
    """
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    images = intensities(batch)
    for _ in range(2):
        start = time.perf_counter()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = network(images, images[: len(images) * with_views], torch.zeros_like(network.log_variance))
        sum(output.sum() for output in outputs).backward()
        network.zero_grad(set_to_none=True)
        seconds = (time.perf_counter() - start) * steps
    gigabytes = sum(kept.values()) / 1e9
    if seconds > LONG or gigabytes > LARGE:
        weights = sum(parameter.numel() for parameter in network.parameters())
        print(
            f"{network.architecture['name']} autoencoder of {weights:,} weights: training takes about "
            f"{max(seconds / 60, 1):.0f} min and {max(gigabytes, 0.1):.1f} GB beside the images",
            flush=True,
        )


def loss(
    reconstructions: Tensor,
    targets: Tensor,
    vectors: Tensor,
    view_vectors: Tensor,
    log_variance: Tensor,
    scales: Tensor,
    params: AutoencoderParams,
) -> tuple[Tensor, Tensor]:
    """Return the reconstruction error and the penalty on the vectors, whose sum is minimised.

        error    mean (x̂ - x)²
        penalty  kl_weight / pixels  KL(N(p / s, σ²) || N(0, 1))  +  view_consistency  mean (1 - cos(p, p'))

    p (n, d) are the vectors of the images and p' (n, d) those of their views. KL is in nats, with σ² =
    exp(log_variance) (d,) shared by all images: the β-VAE (Kingma & Welling 2014, Higgins et al. 2017). The scales
    s (d,) are 1 for dense layers and those of the principal components for convolutions, which would otherwise spend
    what they learn on shrinking p and stretching it again. The last term compares directions, so it does not shrink
    them (Chen & He 2021).
    """
    error = functional.mse_loss(reconstructions, targets)
    divergence = 0.5 * ((vectors / scales).square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
    penalty = params.kl_weight / targets[0].numel() * divergence
    if params.view_consistency:
        disagreement = (1 - functional.cosine_similarity(vectors, view_vectors, dim=1)).mean()
        penalty = penalty + params.view_consistency * disagreement
    return error, penalty


def generator_of(*numbers: int, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a generator whose seed mixes `numbers`, such as a seed, an epoch and a worker."""
    [seed] = np.random.SeedSequence(numbers).generate_state(1)
    return torch.Generator(device).manual_seed(int(seed))


def warmup_then_cosine(done: float) -> float:
    """Return the factor of the learning rate after the fraction `done` of all steps (Loshchilov & Hutter 2017)."""
    if done < WARMUP:
        return max(done, 1e-3) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (done - WARMUP) / (1 - WARMUP)))


def new_network(image_shape: tuple[int, ...], params: AutoencoderParams) -> Autoencoder:
    """Return the untrained network for images of `image_shape` ((h, w) or (h, w, 3)).

    Its weights depend on the seed alone. Raises `InputError` if they would be too many.
    """
    name = without_auto(params, image_shape).architecture
    widths = "hidden_layers" if name == "dense" else "channels"
    architecture = {
        "name": name,
        "image_shape": list(image_shape),
        "latent_dim": params.latent_dim,
        "layers": params.hidden_layers if name == "dense" else [params.channels] * params.blocks,
        "length_power": LENGTH_POWER,
    }
    with torch.device("meta"):
        weights = sum(parameter.numel() for parameter in Autoencoder(architecture).parameters())
    if weights > MOST_WEIGHTS:
        raise InputError(
            f"params.yaml: autoencoder.{widths} and latent_dim ask for {weights:,} weights, at most {MOST_WEIGHTS:,} "
            "fit: make them smaller, or images.pixels"
        )
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from the global generator only
        torch.manual_seed(params.seed)
        return Autoencoder(architecture)


def without_auto(params: AutoencoderParams, image_shape: tuple[int, ...]) -> AutoencoderParams:
    """Return `params` with values for `auto`. Small grey images get the dense network, larger ones and colour conv."""
    chosen = params.architecture
    if chosen == "auto":
        chosen = "dense" if len(image_shape) == 2 and max(image_shape) <= LARGEST_DENSE else "conv"
    values = {key: value for key, value in AUTO[chosen].items() if getattr(params, key) == "auto"}
    return params.model_copy(update={"architecture": chosen, **values})


def network_from(architecture: dict, arrays: dict[str, np.ndarray]) -> Autoencoder:
    """Rebuild a trained network. Raises `InputError` if architecture and weights do not fit."""

    def rebuild(network: Autoencoder) -> Tensor:
        return network.decode(network.encode(torch.zeros_like(network.mean)))

    return filled(lambda: Autoencoder(architecture), arrays, rebuild, "autoencoder")


def arrays_of(network: Autoencoder) -> dict[str, np.ndarray]:
    """Return the network's weights by name, float32."""
    return {name: tensor.contiguous().numpy() for name, tensor in network.state_dict().items()}


@torch.no_grad()
def encode(network: Autoencoder, images: np.ndarray, device: str) -> np.ndarray:
    """Return the latents (n, d) float32 of images uint8 (n, h, w) or (n, h, w, 3)."""
    network, chunks = _ready(network, images, device)
    return torch.cat([network.encode(chunk).cpu() for chunk in chunks]).numpy()


@torch.no_grad()
def reconstruct(network: Autoencoder, images: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the latents of images uint8 (n, h, w) or (n, h, w, 3) and what the network rebuilds from them.

    Returns latents (n, d) float32, reconstructions uint8 shaped like `images`, and the mean squared error of each (n,)
    float32 before rounding, of intensities 0 to 1.
    """
    network, chunks = _ready(network, images, device)
    parts = []
    for chunk in chunks:
        latents = network.encode(chunk)
        output = network.decode(latents)
        rounded = (output.clamp(0, 1) * 255).round().to(torch.uint8)
        parts.append([part.cpu() for part in (latents, rounded, (output - chunk).square().mean(dim=(1, 2, 3)))])
    latents, rounded, errors = (torch.cat(column) for column in zip(*parts, strict=True))
    return latents.numpy(), as_images(rounded), errors.numpy()


def as_tensor(images: np.ndarray) -> Tensor:
    """Return images uint8 (n, h, w) or (n, h, w, 3) as a tensor uint8 (n, c, h, w)."""
    tensor = torch.from_numpy(images)
    return tensor[:, None] if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2).contiguous()


def as_images(tensor: Tensor) -> np.ndarray:
    """Return a tensor uint8 (n, c, h, w) as images, the inverse of `as_tensor`."""
    return tensor[:, 0].numpy() if tensor.shape[1] == 1 else tensor.permute(0, 2, 3, 1).contiguous().numpy()


def intensities(images: Tensor) -> Tensor:
    """Return uint8 as float32 from 0 to 1."""
    return images.to(torch.float32) / 255


def choose_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is a GPU if PyTorch finds one. Raises `InputError` if it is missing."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[name]:
        raise InputError(f"params.yaml: device = {name!r} is not available on this machine: set it to auto or cpu")
    return torch.device(name)


@torch.no_grad()
def mean_squared_error(network: Autoencoder, images: Tensor) -> float:
    """Return the mean squared error of the reconstructions of images uint8 (n, c, h, w), without refinement."""
    total = 0.0
    for chunk in map(intensities, images.split(CHUNK)):
        total += functional.mse_loss(network.render(network.project(chunk)), chunk).item() * len(chunk)
    return total / len(images)


def _ready(network: Autoencoder, images: np.ndarray, device: str) -> tuple[Autoencoder, Iterator[Tensor]]:
    torch.set_num_threads(THREADS[network.architecture["name"]])
    if list(images.shape[1:]) != network.architecture["image_shape"]:
        raise InputError(
            f"images have the shape {images.shape[1:]}, the autoencoder was trained on "
            f"{tuple(network.architecture['image_shape'])}: run `dvc repro`"
        )
    place = choose_device(device)
    starts = range(0, len(images), CHUNK) or [0]
    chunks = (intensities(as_tensor(images[start : start + CHUNK]).to(place)) for start in starts)
    return network.to(place).eval(), chunks
