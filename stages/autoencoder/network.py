"""The autoencoder: PCA, and beside it a network that learns what PCA misses.

    encode:  p = W (x - mean) + f(x - mean)     z = p |p|^(length_power - 1)
    decode:  x = mean + Wᵀ p + g(p)

The rows of W are the first principal components and stay fixed. The last layers of f and g start as zero, so training
starts at PCA's error and improves on it (identity plus residual: He et al. 2016). f and g are dense layers (Hinton &
Salakhutdinov 2006) or convolutions.

The latent z has the direction of p and its length to a power below 1. Directions tell what an image shows, lengths how
much ink it has, so maps of z are more faithful and better sorted than maps of p. Nothing is lost: p follows from z.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

PCA_ITERATIONS = 6
PCA_VALUES = 1 << 24  # float32 values of images that PCA holds at once: 64 MiB
FIRST_LOG_VARIANCE = -4.0  # of the noise on latents, which training adapts; best for PCA and kl_weight 0.04
SHORTEST = 1e-6  # length below which a vector has no direction
LARGEST_DENSE = 32  # side in pixels up to which `auto` takes dense layers for grey images
LARGEST_INMOST = 8  # side of the innermost feature maps of the convolutional network


class Autoencoder(nn.Module):
    """Map images (n, c, h, w) float32, intensities 0 to 1, to latents (n, d) and back; c is 1 (grey) or 3 (RGB).

    `architecture` holds all that is needed to rebuild it: `name` (dense or conv), `image_shape` ([h, w] or [h, w, 3]),
    `latent_dim`, `layers` (widths of the dense layers, or channels of the convolutions) and `length_power`.
    """

    def __init__(self, architecture: dict):
        super().__init__()
        self.architecture = architecture
        height, width, *colours = architecture["image_shape"]
        shape, latent_dim = (colours[0] if colours else 1, height, width), architecture["latent_dim"]
        build = dense_layers if architecture["name"] == "dense" else conv_layers
        self.encoder, self.decoder = build(shape, architecture["layers"], latent_dim)
        self.linear_encoder = nn.Linear(math.prod(shape), latent_dim, bias=False).requires_grad_(False)
        self.register_buffer("mean", torch.zeros(1, *shape))
        self.log_variance = nn.Parameter(torch.full((latent_dim,), FIRST_LOG_VARIANCE))

    def encode(self, images: Tensor) -> Tensor:
        """Return the latents (n, d) of images (n, c, h, w)."""
        return scale_lengths(self.project(images), self.architecture["length_power"])

    def decode(self, latents: Tensor) -> Tensor:
        """Return images (n, c, h, w) from latents (n, d)."""
        return self.render(scale_lengths(latents, 1 / self.architecture["length_power"]))

    def project(self, images: Tensor) -> Tensor:
        """Return the vectors p (n, d) of images (n, c, h, w)."""
        centred = images - self.mean
        return self.linear_encoder(centred.flatten(1)) + self.encoder(centred)

    def render(self, vectors: Tensor) -> Tensor:
        """Return images (n, c, h, w) from vectors p (n, d)."""
        linear = vectors @ self.linear_encoder.weight
        return self.mean + linear.unflatten(1, self.mean.shape[1:]) + self.decoder(vectors)

    def forward(self, images: Tensor, views: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a training step needs: reconstructions (n, c, h, w), p (n, d) of the images and of the views.

        The images are rebuilt from vectors to which normal `noise` (n, d), scaled to the learned variance, is added.
        """
        vectors, view_vectors = self.project(torch.cat([images, views])).chunk(2)
        return self.render(vectors + (self.log_variance / 2).exp() * noise), vectors, view_vectors

    @torch.no_grad()
    def start_as_pca(self, images: Tensor, generator: torch.Generator) -> None:
        """Set the weights so that the network computes the PCA of `images` (n, c, h, w) uint8."""
        mean, components = principal_components(images.flatten(1), self.architecture["latent_dim"], generator)
        self.mean.copy_(mean.view_as(self.mean))
        self.linear_encoder.weight.copy_(components)
        for network in (self.encoder, self.decoder):
            last = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
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
    """Build an encoder of convolutions that each halve the image, and a mirrored decoder.

    The decoder doubles by pixel shuffle (Shi et al. 2016), which leaves no checkerboard as transposed convolutions do.
    Large images are halved further, with the last number of channels, down to `LARGEST_INMOST` pixels. An image whose
    sides are no multiple of what is halved is padded at first and cropped at last.
    """
    colours, height, width = shape
    while max(height, width) > LARGEST_INMOST * 2 ** len(channels):
        channels = [*channels, channels[-1]]
    factor = 2 ** len(channels)
    rows, columns = -(-height // factor), -(-width // factor)
    encoder: list[nn.Module] = [Resize(rows * factor, columns * factor)]
    decoder: list[nn.Module] = [Resize(height, width)]
    before = colours
    for after in channels:
        encoder += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.SiLU()]
        decoder = [nn.SiLU(), nn.Conv2d(after, 4 * before, 3, padding=1), nn.PixelShuffle(2), *decoder]
        before = after
    features = before * rows * columns
    return (
        nn.Sequential(*encoder, nn.Flatten(), nn.Linear(features, latent_dim)),
        nn.Sequential(nn.Linear(latent_dim, features), nn.Unflatten(1, (before, rows, columns)), *decoder),
    )


class Resize(nn.Module):
    """Pad with zeros below and to the right, or crop, to (height, width)."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.height, self.width = height, width

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.pad(images, (0, self.width - images.shape[3], 0, self.height - images.shape[2]))


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
    return mean, nn.functional.pad(components * largest.sign(), (0, 0, 0, count - rank))
