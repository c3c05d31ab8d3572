"""How the training images lie in their frame, and the way of a new image file of any kind into the same frame.

Fashion-MNIST was made from photographs on white: cut to what they show, brought to 28 pixels on the longer side, put in
the middle, negated (Xiao, Rasul, Vollgraf 2017, section 2). A new image takes the same way, measured on the training
images; one that already has their size is taken as it is.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stages.images.sources import is_transparent, naming, open_image, to_grey, whole

CUT_SOURCES = ("drawn", "fashion-mnist")  # their images are cut to what they show; a folder's are kept whole
TOLERANCE = 13  # levels from the ground within which a pixel still belongs to it: the 5 % of Fashion-MNIST's makers
PLAIN = 0.95  # share of the training images with one and the same ground that makes it theirs
WORKING_SIZE = 8  # a photograph is first brought to so many times the size: specks fade, edges stay


@dataclass(frozen=True)
class Framing:
    """`size`: pixels a side. `ground`: intensity around what the images show, 0 or 255; None if that differs.

    `extent`: pixels that what they show takes up on its longer side; None where images are kept whole.
    """

    size: int
    ground: int | None
    extent: int | None


def learn_framing(images: np.ndarray, cut: bool) -> Framing:
    """The framing of training images (n, size, size) uint8; `cut`: whether each was cut to what it shows."""
    grounds = ground_of(images)
    ground = 255 if np.median(grounds) > 127 else 0
    if np.mean(np.abs(grounds - ground) <= TOLERANCE) < PLAIN:
        return Framing(images.shape[1], None, None)
    return Framing(images.shape[1], ground, round(float(np.median(extent_of(images)))) if cut else None)


def ground_of(images: np.ndarray) -> np.ndarray:
    """Median intensity (n,) float64 along the border of images (n, h, w)."""
    return np.median(border_of(images), axis=1)


def border_of(images: np.ndarray) -> np.ndarray:
    """The outermost pixels of images (n, h, w), (n, 2 w + 2 h - 4)."""
    top, bottom, left, right = images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]
    return np.concatenate([top, bottom, left, right], axis=1)


def extent_of(images: np.ndarray) -> np.ndarray:
    """Pixels (n,) int64 on the longer side of what images (n, h, w) show before their ground; 0 if that is nothing."""
    shown = np.abs(images - ground_of(images)[:, None, None]) > TOLERANCE

    def length(lit: np.ndarray) -> np.ndarray:
        return np.where(lit.any(axis=1), lit.shape[1] - lit.argmax(axis=1) - lit[:, ::-1].argmax(axis=1), 0)

    return np.maximum(length(shown.any(axis=2)), length(shown.any(axis=1)))


def read_framed(path: Path, framing: Framing) -> tuple[np.ndarray, list[str]]:
    """An image file as the training images are, (size, size) uint8, and what is strange about it, in words.

    Any size and mode, upright by its EXIF tag, dark on light or light on dark. Raises `InputError` that names the file
    if it cannot be read.
    """
    with naming(path):
        return frame(open_image(path, WORKING_SIZE * framing.size), framing)


def frame(image: Image.Image, framing: Framing) -> tuple[np.ndarray, list[str]]:
    """An upright image as the training images are, and what is strange about it."""
    size = framing.size
    if image.size == (size, size):
        return np.asarray(to_grey(image)), []
    if framing.ground is None:
        return whole(to_grey(image), size), []
    grey = to_grey(image, contrasting_ground(image))
    strange = [] if is_plain(np.asarray(grey)) else ["its border is not of one tone, so nothing can be cut out of it"]
    if framing.extent is None:
        negative = abs(ground_of(np.asarray(grey)[None])[0] - framing.ground) > 127
        return whole(grey.point(lambda level: 255 - level) if negative else grey, size), strange
    framed = cut(grey, size, framing.extent)
    return 255 - framed if framing.ground else framed, strange


def is_plain(image: np.ndarray) -> bool:
    """Whether at least half of the border of an image (h, w) belongs to its ground."""
    border = border_of(image[None])
    return bool((np.abs(border - np.median(border)) <= TOLERANCE).mean() >= 0.5)


def contrasting_ground(image: Image.Image) -> int:
    """What to show behind a transparent image: white if its visible part is dark, else black."""
    if not is_transparent(image):
        return 0
    lightness, opacity = (np.asarray(band, dtype=np.float64) for band in image.convert("RGBA").convert("LA").split())
    return 255 if (lightness * opacity).sum() < 127 * opacity.sum() else 0


def cut(grey: Image.Image, size: int, extent: int) -> np.ndarray:
    """What a grey image shows, light on black, `extent` pixels on its longer side, in the middle of (size, size).

    It counts as dark on light if it is darker than its ground on average. The ground becomes 0.
    """
    grey.thumbnail((WORKING_SIZE * size, WORKING_SIZE * size), Image.Resampling.LANCZOS)
    levels = np.asarray(grey, dtype=np.float64)
    ground = ground_of(levels[None])[0]
    if levels.mean() < ground:
        levels, ground = 255 - levels, 255 - ground
    levels = ((levels - ground) * (255 / max(255 - ground, 1))).clip(0, 255)
    rows, columns = (np.flatnonzero((levels > TOLERANCE).any(axis=axis)) for axis in (1, 0))
    framed = np.zeros((size, size), np.uint8)
    if rows.size:
        shown = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].round().astype(np.uint8)
        height, width = (max(1, round(side * extent / max(shown.shape))) for side in shown.shape)
        top, left = (size - height) // 2, (size - width) // 2
        scaled = Image.fromarray(shown).resize((width, height), Image.Resampling.LANCZOS)
        framed[top : top + height, left : left + width] = scaled
    return framed
