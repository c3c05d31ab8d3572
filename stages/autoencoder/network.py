"""The autoencoder: a linear path that starts as principal components, and beside it a network that learns the rest.

project(x) = (x - mean) W + f(x - mean) and render(p) = mean + p V + g(p). W and V begin as the first principal
components and the last layers of f and g as zero, so that training starts at PCA's error and can only improve on it
(the identity-plus-residual idea of He et al. 2016). Without the linear path it is the usual autoencoder
(Hinton & Salakhutdinov 2006).

The latent is z = p / |p|^c: directions, which tell kinds apart, weigh more than lengths, which tell how much ink an
image has. p = z |z|^(c / (1 - c)) undoes it, so nothing is lost.
"""

import torch
from torch import Tensor, nn

PCA_ITERATIONS = 8
SMALLEST_LENGTH = 1e-6  # of a vector; below it, direction is not defined


class Autoencoder(nn.Module):
    """Images (n, 1, h, w) float32, intensities 0 to 1, to latents (n, d) and back.

    `architecture` holds all that is needed to build it again: `kind` (dense or conv), `image_shape` [h, w],
    `latent_dim`, `hidden` (widths of the dense layers, or channels of the convolutions), `linear_path` and
    `length_compression` (c).
    """

    def __init__(self, architecture: dict):
        super().__init__()
        self.architecture = architecture
        height, width = architecture["image_shape"]
        latent_dim, pixels = architecture["latent_dim"], height * width
        build = dense_layers if architecture["kind"] == "dense" else conv_layers
        self.encoder, self.decoder = build((height, width), architecture["hidden"], latent_dim)
        self.register_buffer("mean", torch.zeros(1, 1, height, width))
        if architecture["linear_path"]:
            self.linear_encoder = nn.Linear(pixels, latent_dim, bias=False)
            self.linear_decoder = nn.Linear(latent_dim, pixels)

    def encode(self, images: Tensor) -> Tensor:
        return self.compress(self.project(images))

    def decode(self, latents: Tensor) -> Tensor:
        return self.render(scale_lengths(latents, 1 / (1 - self.architecture["length_compression"])))

    def compress(self, projections: Tensor) -> Tensor:
        """What `project` gives (n, d), as latents."""
        return scale_lengths(projections, 1 - self.architecture["length_compression"])

    def project(self, images: Tensor) -> Tensor:
        """Images to vectors (n, d) before their lengths are compressed: what is trained."""
        centred = images - self.mean
        projections = self.encoder(centred)
        if self.architecture["linear_path"]:
            projections = projections + self.linear_encoder(centred.flatten(1))
        return projections

    def render(self, projections: Tensor) -> Tensor:
        """The way back from `project`."""
        images = self.decoder(projections) + self.mean
        if self.architecture["linear_path"]:
            images = images + self.linear_decoder(projections).view_as(images)
        return images

    @torch.no_grad()
    def start_as_pca(self, images: Tensor, generator: torch.Generator) -> None:
        """Set the mean and, where there is a linear path, let the whole network begin as the PCA of `images`."""
        self.mean.copy_(images.mean(dim=0, keepdim=True))
        if not self.architecture["linear_path"]:
            return
        components = principal_components((images - self.mean).flatten(1), self.architecture["latent_dim"], generator)
        self.linear_encoder.weight.copy_(components)
        self.linear_decoder.weight.copy_(components.T)
        nn.init.zeros_(self.linear_decoder.bias)
        for network in (self.encoder, self.decoder):
            last = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.ConvTranspose2d)][-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @torch.no_grad()
    def whiten(self, projections: Tensor, strength: float) -> None:
        """Turn the axes of the latent space to principal directions, each divided by its deviation to `strength`.

        1 gives all directions the same variance, 0 none of this, below 0 strong directions grow stronger. The layers
        on both sides absorb it, so that images are rendered as before. `projections` (n, d) are the training images'.
        """
        centre = projections.mean(dim=0)
        variances, directions = torch.linalg.eigh((projections - centre).T.double().cov(correction=0))
        deviations = variances.clamp_min(0).sqrt().float().flip(0)
        scales = deviations.clamp_min(1e-4 * deviations[0]).pow(-strength)
        directions = directions.float().flip(1)
        forth, back = directions * scales, directions / scales
        last = self.encoder[-1]
        last.weight.copy_(forth.T @ last.weight)
        last.bias.copy_(forth.T @ (last.bias - centre))
        first = self.decoder[0]
        first.bias.add_(first.weight @ centre)
        first.weight.copy_(first.weight @ back)
        if self.architecture["linear_path"]:
            self.linear_encoder.weight.copy_(forth.T @ self.linear_encoder.weight)
            self.linear_decoder.bias.add_(self.linear_decoder.weight @ centre)
            self.linear_decoder.weight.copy_(self.linear_decoder.weight @ back)


def scale_lengths(vectors: Tensor, power: float) -> Tensor:
    """Vectors (n, d) with their directions kept and their Euclidean lengths raised to `power`."""
    return vectors * vectors.norm(dim=1, keepdim=True).clamp_min(SMALLEST_LENGTH).pow(power - 1)


def dense_layers(image_shape: tuple[int, int], hidden: list[int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Linear layers with SiLU between them, and their mirror image."""
    widths = [image_shape[0] * image_shape[1], *hidden, latent_dim]
    return (
        nn.Sequential(nn.Flatten(), *_linear_stack(widths)),
        nn.Sequential(*_linear_stack(widths[::-1]), nn.Unflatten(1, (1, *image_shape))),
    )


def _linear_stack(widths: list[int]) -> list[nn.Module]:
    layers = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return layers[:-1]


def conv_layers(image_shape: tuple[int, int], channels: list[int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Convolutions, each of which halves the image, then one linear layer; and their mirror image."""
    shape = image_shape
    for _ in channels:
        shape = tuple(-(-side // 2) for side in shape)
    encoder, decoder, before = [], [], 1
    for after in channels:
        encoder += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU()]
        decoder = [nn.SiLU(), nn.ConvTranspose2d(after, before, 4, stride=2, padding=1), *decoder]
        before = after
    features = before * shape[0] * shape[1]
    return (
        nn.Sequential(*encoder, nn.Flatten(), nn.Linear(features, latent_dim)),
        nn.Sequential(nn.Linear(latent_dim, features), nn.Unflatten(1, (before, *shape)), *decoder, _Crop(image_shape)),
    )


class _Crop(nn.Module):
    """Cuts off what halving and doubling have added to an image of odd size."""

    def __init__(self, image_shape: tuple[int, int]):
        super().__init__()
        self.height, self.width = image_shape

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, : self.height, : self.width]


def principal_components(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """The first `count` principal directions (count, d) of centred rows (n, d), by randomised subspace iteration.

    Halko, Martinsson & Tropp 2011, algorithm 4.4: memory n d, whatever the size of an image. Directions that the data
    do not have are zero. Each sign is fixed by its largest entry.
    """
    n, d = rows.shape
    rank = min(count, n, d)
    basis = torch.randn(d, min(rank + 10, n, d), generator=generator)
    for _ in range(PCA_ITERATIONS):
        basis = torch.linalg.qr(rows.T @ (rows @ basis)).Q
    _, _, rotation = torch.linalg.svd(rows @ basis, full_matrices=False)
    components = (basis @ rotation.T).T[:rank]
    largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))
    return nn.functional.pad(components * largest.sign(), (0, 0, 0, count - rank))
