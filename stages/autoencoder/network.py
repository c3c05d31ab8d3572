"""The autoencoder: PCA, and beside it a network that learns what PCA misses.

    encode:  p = W (x - mean) + correction      z = p |p|^(length_power - 1)
    decode:  x = mean + Wᵀ p + correction

The rows of W are the first principal components and stay fixed. The last layer of each correction starts as zero, so
training starts at PCA's error and improves on it (identity plus residual: He et al. 2016).

- dense: f(x - mean) and g(p), linear layers (Hinton & Salakhutdinov 2006).
- conv: W f(Wᵀ W (x - mean), the rest of x - mean) and g(Wᵀ p), convolutions from images to images. They see what the
  linear code keeps as an image, blurred, and what it loses. What they learn about one place is true of every other,
  which makes the most of a few thousand images. After training, steps down the gradient of the reconstruction error
  refine each p (semi-amortized inference, Kim et al. 2018).

The latent z has the direction of p and its length to a power below 1. Directions tell what an image shows, lengths how
much ink it has, so maps of z are more faithful and better sorted than maps of p. Nothing is lost: p follows from z.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

PCA_ITERATIONS = 6
PCA_VALUES = 1 << 24  # float32 values of images that PCA holds at once: 64 MiB
FIRST_LOG_VARIANCE = -4.0  # of the noise on latents, which training adapts; best for PCA and kl_weight 0.04
MEASURED, NARROWEST = 256, 0.01  # images that give the scales of p, and the least of these
SHORTEST = 1e-6  # length below which a vector has no direction
LARGEST_DENSE = 32  # side in pixels up to which `auto` takes dense layers for grey images
LARGEST_GRID = 16  # patches a side on which the convolutional network computes
BRANCH = 0.3  # share of its usual scale with which the last convolution of a block starts
REFINEMENTS, STEP = 4, 0.5  # steps that refine p, and their first length; 1 is Newton's for PCA
CONTRAST = 4  # factor that brings intensities to a standard deviation of about 1 for the convolutions


class Autoencoder(nn.Module):
    """Map images (n, c, h, w) float32, intensities 0 to 1, to latents (n, d) and back; c is 1 (grey) or 3 (RGB).

    `architecture` holds all that is needed to rebuild it: `name` (dense or conv), `image_shape` ([h, w] or [h, w, 3]),
    `latent_dim`, `layers` (widths of the dense layers, or channels of each residual block) and `length_power`.
    """

    def __init__(self, architecture: dict):
        super().__init__()
        self.architecture = architecture
        height, width, *colours = architecture["image_shape"]
        shape, latent_dim = (colours[0] if colours else 1, height, width), architecture["latent_dim"]
        build = dense_layers if architecture["name"] == "dense" else conv_layers
        self.encoder, self.decoder = build(shape, architecture["layers"], latent_dim)
        self.is_dense = build is dense_layers
        self.linear_encoder = nn.Linear(math.prod(shape), latent_dim, bias=False).requires_grad_(False)
        self.register_buffer("mean", torch.zeros(1, *shape))
        self.log_variance = nn.Parameter(torch.full((latent_dim,), FIRST_LOG_VARIANCE))
        scales = torch.ones(latent_dim, device="cpu")  # of p, in which its noise is measured; for training alone
        self.register_buffer("scales", scales, persistent=False)

    def encode(self, images: Tensor) -> Tensor:
        """Return the latents (n, d) of images (n, c, h, w)."""
        vectors = self.project(images)
        if not self.is_dense:
            vectors = self.refine(vectors, images)
        return scale_lengths(vectors, self.architecture["length_power"])

    def decode(self, latents: Tensor) -> Tensor:
        """Return images (n, c, h, w) from latents (n, d)."""
        return self.render(scale_lengths(latents, 1 / self.architecture["length_power"]))

    def project(self, images: Tensor) -> Tensor:
        """Return the vectors p (n, d) of images (n, c, h, w)."""
        centred = images - self.mean
        linear = self.linear_encoder(centred.flatten(1))
        if self.is_dense:
            return linear + self.encoder(centred)
        kept = self.spread(linear)
        correction = self.encoder(torch.cat([kept, centred - kept], dim=1))
        return linear + self.linear_encoder(correction.flatten(1))

    def render(self, vectors: Tensor) -> Tensor:
        """Return images (n, c, h, w) from vectors p (n, d)."""
        linear = self.spread(vectors)
        return self.mean + linear + self.decoder(vectors if self.is_dense else linear)

    @torch.no_grad()
    def refine(self, vectors: Tensor, images: Tensor) -> Tensor:
        """Return p (n, d) that rebuild images (n, c, h, w) better than `vectors` (n, d), where such are found.

        Each step goes down the gradient of an image's squared error. One that does not lower it is taken back, and the
        next is half as long.
        """

        def error_and_gradient(p: Tensor) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                p = p.detach().requires_grad_()
                error = (self.render(p) - images).square().sum(dim=(1, 2, 3)) / 2
                return error.detach(), torch.autograd.grad(error.sum(), p)[0]

        error, gradient = error_and_gradient(vectors)
        length = torch.full_like(error, STEP)
        for _ in range(REFINEMENTS):
            trial = vectors - length[:, None] * gradient
            trial_error, trial_gradient = error_and_gradient(trial)
            better = trial_error < error
            vectors = torch.where(better[:, None], trial, vectors)
            gradient = torch.where(better[:, None], trial_gradient, gradient)
            error = torch.where(better, trial_error, error)
            length = torch.where(better, length, length / 2)
        return vectors

    def spread(self, vectors: Tensor) -> Tensor:
        """Return Wᵀ p (n, c, h, w) of vectors p (n, d)."""
        return (vectors @ self.linear_encoder.weight).unflatten(1, self.mean.shape[1:])

    def forward(self, images: Tensor, views: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a training step needs: reconstructions (n, c, h, w), p (n, d) of the images, (m, d) of the views.

        The images are rebuilt from vectors to which normal `noise` (n, d) is added, scaled to the learned variance of
        p / scales.
        """
        vectors, view_vectors = self.project(torch.cat([images, views])).split([len(images), len(views)])
        return self.render(vectors + (self.log_variance / 2).exp() * self.scales * noise), vectors, view_vectors

    @torch.no_grad()
    def start_as_pca(self, images: Tensor, generator: torch.Generator) -> None:
        """Set the weights so that the network computes the PCA of `images` (n, c, h, w) uint8."""
        mean, components = principal_components(images.flatten(1), self.architecture["latent_dim"], generator)
        self.mean.copy_(mean.view_as(self.mean))
        self.linear_encoder.weight.copy_(components)
        if not self.is_dense:
            some = images[:MEASURED].flatten(1).float() / 255 - mean
            self.scales.copy_((some @ components.T).std(dim=0).clamp_min(NARROWEST))
            self.log_variance.copy_(FIRST_LOG_VARIANCE - 2 * self.scales.log())
        for network in (self.encoder, self.decoder):
            last = [layer for layer in network.modules() if isinstance(layer, nn.Linear | Convolution)][-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)


def scale_lengths(vectors: Tensor, power: float) -> Tensor:
    """Return vectors (n, d) of the same directions with their Euclidean lengths raised to `power`."""
    return vectors * vectors.norm(dim=1, keepdim=True).clamp_min(SHORTEST).pow(power - 1)


def dense_layers(shape: tuple[int, int, int], widths: list[int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Build an encoder of linear layers with SiLU between them, and a mirrored decoder."""
    widths = [math.prod(shape), *widths, latent_dim]
    return (
        nn.Sequential(nn.Flatten(), *_linear_stack(widths)),
        nn.Sequential(*_linear_stack(widths[::-1]), nn.Unflatten(1, shape)),
    )


def _linear_stack(widths: list[int]) -> list[nn.Module]:
    layers = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return layers[:-1]


def conv_layers(shape: tuple[int, int, int], channels: list[int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Build an encoder from two images (n, 2 c, h, w) to one (n, c, h, w), and a decoder from one to one.

    `latent_dim` plays no role, as the principal components make vectors of images and images of vectors.
    """
    return PatchNetwork(2 * shape[0], shape, channels), PatchNetwork(shape[0], shape, channels)


class PatchNetwork(nn.Module):
    """Images (n, before, h, w) to images of `shape` (c, h, w): residual convolutions on a grid of patches.

    The pixels of a square patch are the channels of one place on the grid, and become pixels again at the end: pixel
    shuffle (Shi et al. 2016), which leaves no checkerboard as transposed convolutions do. Each of `channels` is a block
    of two convolutions (He et al. 2016). The grid has at most `LARGEST_GRID` places a side, so that larger images cost
    little more. An image whose sides are no multiple of a patch is padded with zeros at first and cropped at last.
    """

    def __init__(self, before: int, shape: tuple[int, int, int], channels: list[int]):
        super().__init__()
        colours, self.height, self.width = shape
        self.patch = math.ceil(max(shape[1:]) / LARGEST_GRID)
        self.first = Convolution(before * self.patch**2, channels[0])
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.SiLU(), Convolution(wide, wide), nn.SiLU(), Convolution(wide, wide, BRANCH))
            for wide in channels
        )
        self.last = Convolution(channels[-1], colours * self.patch**2)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.pad(CONTRAST * images, (0, -self.width % self.patch, 0, -self.height % self.patch))
        x = functional.pixel_unshuffle(x, self.patch).contiguous(memory_format=torch.channels_last)
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        x = functional.pixel_shuffle(self.last(functional.silu(x)), self.patch)
        return x[:, :, : self.height, : self.width] / CONTRAST


class Convolution(nn.Module):
    """A 3 x 3 convolution that keeps the size. Its weight is a matrix (outward, 9 inward), as Muon trains matrices."""

    def __init__(self, inward: int, outward: int, gain: float = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, 9 * inward) * gain * math.sqrt(2 / (9 * inward)))
        self.bias = nn.Parameter(torch.zeros(outward))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight.view(len(self.weight), -1, 3, 3), self.bias, padding=1)


def principal_components(rows: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the first principal directions (count, d) of rows (n, d) uint8, scaled to 0 to 1.

    Randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4) over chunks of rows: beside the bytes
    themselves it holds `PCA_VALUES` floats and a few d by `count` matrices. Directions that the data do not have are
    zero. The sign of each direction is fixed by its largest entry.
    """
    n, d = rows.shape
    rank = min(count, n, d)
    mean = sum(chunk.sum(dim=0, dtype=torch.float64) for chunk in rows.split(max(PCA_VALUES // d, 1))) / (255 * n)
    mean = mean.float()

    def centred() -> Iterator[Tensor]:
        return (chunk.float() / 255 - mean for chunk in rows.split(max(PCA_VALUES // d, 1)))

    basis = torch.randn(d, min(rank + 10, n, d), generator=generator).to(rows.device)
    for _ in range(PCA_ITERATIONS):
        basis = torch.linalg.qr(sum(chunk.T @ (chunk @ basis) for chunk in centred())).Q
    _, _, rotation = torch.linalg.svd(torch.cat([chunk @ basis for chunk in centred()]), full_matrices=False)
    components = (basis @ rotation.T).T[:rank]
    largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))
    return mean, functional.pad(components * largest.sign(), (0, 0, 0, count - rank))
