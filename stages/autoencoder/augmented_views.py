"""Random changes of images that leave what they show: views of an image, and more images to learn from."""

import math

import torch
from torch import Tensor
from torch.nn import functional

CROP = 0.1  # at strength 1: largest shift of `mirrored_and_shifted`, a share of a side
SHIFT, ROTATION, STRETCHING = 1 / 28, 8.0, 0.08  # at strength 1: share of a side, degrees, share of a side


def random_views(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return one random view of each image (n, c, h, w).

    Each view is shifted by up to `SHIFT`, rotated by up to `ROTATION` and stretched by up to `STRETCHING`, all times
    `strength` and drawn uniformly for each image. Pixels from outside the image repeat its border. This is
    torchvision's RandomAffine for a whole batch at once.
    """
    n, _, height, width = images.shape
    chance = strength * (2 * torch.rand(5, n, generator=generator, device=images.device) - 1)
    angle = math.radians(ROTATION) * chance[0]
    across, down = 1 + STRETCHING * chance[1:3]
    right, below = 2 * SHIFT * chance[3:]  # affine_grid's sides run from -1 to 1
    rows = [
        torch.stack([across * angle.cos(), -down * angle.sin() * height / width, right], dim=1),
        torch.stack([across * angle.sin() * width / height, down * angle.cos(), below], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def mirrored_and_shifted(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return images (n, c, h, w) of which half are mirrored, each shifted by whole pixels, up to `strength` `CROP`.

    At strength 0 nothing changes. Pixels from outside repeat the image, reflected at its border. Nothing is
    interpolated, so nothing gets blurred.
    """
    n, _, height, width = images.shape
    mirrored = torch.rand(n, 1, 1, 1, generator=generator, device=images.device) < 0.5 * min(strength, 1)
    images = torch.where(mirrored, images.flip(3), images)
    most = [min(round(strength * CROP * side), side - 1) for side in (height, width)]
    padded = functional.pad(images, (most[1], most[1], most[0], most[0]), mode="reflect")
    down, right = (torch.randint(0, 2 * m + 1, (n, 1), generator=generator, device=images.device) for m in most)
    rows = (down + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (right + torch.arange(width, device=images.device))[:, None, None, :]
    image = torch.arange(n, device=images.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return padded[image, channel, rows, columns]
