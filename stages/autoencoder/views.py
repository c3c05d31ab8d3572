"""Random views: each image a little shifted, rotated and stretched, so that it still shows the same thing."""

import math

import torch
from torch import Tensor
from torch.nn import functional

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
