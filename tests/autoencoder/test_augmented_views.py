import pytest
import torch

from stages.autoencoder import augmented_views as views
from stages.autoencoder.augmented_views import mirrored_and_shifted, random_views


def centre_of_mass(images):
    """Row and column (n, 2) in pixels from the middle of images (n, 1, h, w)."""
    height, width = images.shape[2:]
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    weights = images / images.sum(dim=(1, 2, 3), keepdim=True)
    return torch.stack([(weights.sum(3) * rows).sum((1, 2)), (weights.sum(2) * columns).sum((1, 2))], dim=1)


@pytest.fixture
def view(monkeypatch):
    """`view(images, SHIFT=0.1)`: views that are only shifted, rotated or stretched."""

    def of(images, **only):
        for name in ("SHIFT", "ROTATION", "STRETCHING"):
            monkeypatch.setattr(views, name, only.get(name, 0))
        return random_views(images, 1, torch.Generator().manual_seed(0))

    return of


@pytest.mark.parametrize("size", [(20, 20), (31, 18)])
def test_a_view_is_shifted_rotated_and_stretched(view, size):
    height, width = size
    image = torch.zeros(1, 1, height, width)
    image[:, :, height // 2 - 4 : height // 2 + 4, width // 2 + 2 : width // 2 + 4] = 1
    images = image.expand(300, 1, height, width)
    start = centre_of_mass(image)
    torch.testing.assert_close(view(images), images, atol=1e-5, rtol=0)

    moves = (centre_of_mass(view(images, SHIFT=0.1)) - start) / torch.tensor(size)
    assert moves.abs().max() <= 0.1005
    assert (moves.amax(0) > 0.09).all()
    assert (moves.amin(0) < -0.09).all()

    rotated = centre_of_mass(view(images, ROTATION=20))
    torch.testing.assert_close(rotated.norm(dim=1), start.norm().expand(300), atol=0.15, rtol=0)
    angles = torch.rad2deg(torch.atan2(rotated[:, 0], rotated[:, 1]) - torch.atan2(start[:, 0], start[:, 1]))
    assert 18 < angles.max() < 21
    assert -21 < angles.min() < -18

    areas = view(images, STRETCHING=0.2).sum(dim=(1, 2, 3)) / image.sum()
    assert 0.65 < areas.min() < 0.85
    assert 1.2 < areas.max() < 1.6


def test_strength_scales_views_and_colours_move_together():
    images = torch.rand(50, 1, 16, 16, generator=torch.Generator().manual_seed(1)).expand(50, 3, 16, 16)
    torch.testing.assert_close(random_views(images, 0, torch.Generator()), images, atol=1e-5, rtol=0)
    weak, strong = (random_views(images, strength, torch.Generator().manual_seed(0)) for strength in (0.2, 2))
    assert (weak - images).abs().mean() < 0.5 * (strong - images).abs().mean()
    assert torch.equal(strong[:, 0], strong[:, 2])


def test_views_repeat_the_border():
    white = torch.ones(20, 1, 12, 15)
    torch.testing.assert_close(random_views(white, 3, torch.Generator().manual_seed(0)), white)


def test_photographs_are_mirrored_and_shifted_by_whole_pixels():
    image = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    images = mirrored_and_shifted(image.expand(400, 3, 20, 30), 1, torch.Generator().manual_seed(1))
    inner = images[:, :, 2:-2, 3:-3]  # the border is a reflection
    windows = torch.cat([image, image.flip(3)]).unfold(2, 16, 1).unfold(3, 24, 1)  # (2, 3, 5, 7, 16, 24)
    windows = windows.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).flatten(1)
    found = (torch.cdist(inner.flatten(1), windows) < 0.05).int().argmax(dim=1)
    assert (torch.cdist(inner.flatten(1), windows).amin(dim=1) < 0.05).all()
    assert len(found.unique()) > 60  # of 70: both mirrored and not, by any shift
    assert torch.equal(mirrored_and_shifted(image, 0, torch.Generator()), image)
