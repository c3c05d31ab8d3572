"""Where garments lie in their square, and how a new picture of a garment is brought into the same square.

Fashion-MNIST was made from photographs on white: cut to what they show, scaled to 28 pixels on the longer side,
centred, negated (Xiao, Rasul, Vollgraf 2017, section 2). A new image of a garment goes the same way; its ground and
extent are measured on the training images. An image that already has their size is taken as it is.
"""

from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stages.images.decode_images import (
    channels_of,
    has_other_depth,
    is_transparent,
    naming,
    on_ground,
    open_image,
    range_used,
    scale,
    to_grey_array,
)

TOLERANCE = 13  # levels from the ground within which a pixel still belongs to it: the 5 % of Fashion-MNIST's makers
PLAIN = 0.95  # share of the training images that must have the same ground
WORKING_SIZE = 8  # a photograph is first reduced to 8 times the size: specks fade, edges stay


@dataclass(frozen=True)
class Framing:
    """The garments' square: `size`, its pixels a side; `ground`, the level around the garment, 0 or 255; `extent`, the
    garment's pixels on its longer side."""

    size: int
    ground: int
    extent: int


def framing_arrays(images: np.ndarray, training: int) -> dict[str, np.ndarray]:
    """Return the arrays of `data/images.npz` for garments (n, p, p) uint8, of which the first `training` are measured:
    `images` and `framing`."""
    framing = learn_framing(images[:training])
    return {"images": images} | ({} if framing is None else {"framing": np.array(astuple(framing), np.float32)})


def learn_framing(images: np.ndarray) -> Framing | None:
    """Return the framing of training images (n, p, p) uint8; None if their grounds differ."""
    grounds = ground_of(images)
    ground = 255 if np.median(grounds) > 127 else 0
    if np.mean(np.abs(grounds - ground) <= TOLERANCE) < PLAIN:
        return None
    return Framing(images.shape[1], ground, round(float(np.median(extent_of(images)))))


def ground_of(images: np.ndarray) -> np.ndarray:
    """Return the median level (n,) float64 along the border of images (n, h, w)."""
    return np.median(border_of(images), axis=1)


def border_of(images: np.ndarray) -> np.ndarray:
    """Return the outermost pixels (n, 2 w + 2 h - 4) of images (n, h, w)."""
    top, bottom, left, right = images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]
    return np.concatenate([top, bottom, left, right], axis=1)


def extent_of(images: np.ndarray) -> np.ndarray:
    """Return the longer side (n,) int64, in pixels, of what stands out of the ground of images (n, h, w)."""
    shown = np.abs(images - ground_of(images)[:, None, None]) > TOLERANCE

    def length(lit: np.ndarray) -> np.ndarray:
        return np.where(lit.any(axis=1), lit.shape[1] - lit.argmax(axis=1) - lit[:, ::-1].argmax(axis=1), 0)

    return np.maximum(length(shown.any(axis=2)), length(shown.any(axis=1)))


def read_framed(path: Path, framing: Framing) -> tuple[np.ndarray, list[str]]:
    """Read an image file as the training images are.

    It may have any size and mode, and be dark on light or light on dark. Returns pixels uint8 (p, p) and warnings in
    words. Raises `InputError` that names the file if it cannot be read.
    """
    with naming(path), open_image(path, WORKING_SIZE * framing.size) as image:
        return frame(image, framing)


def frame(image: Image.Image, framing: Framing) -> tuple[np.ndarray, list[str]]:
    """Return an upright image as the training images are, uint8 (p, p), and warnings in words."""
    if image.size == (framing.size, framing.size):
        return np.asarray(to_grey(image)), []
    grey = to_grey(image, contrasting_ground(image))
    warnings = [] if is_plain(np.asarray(grey)) else ["its border is not of one tone, so nothing can be cut out of it"]
    framed = cut(grey, framing.size, framing.extent)
    return 255 - framed if framing.ground else framed, warnings


def to_grey(image: Image.Image, ground: int = 0) -> Image.Image:
    """Return any image as grey of 8 bits (mode L), composited on a ground of that level."""
    if has_other_depth(image):
        levels = np.nan_to_num(np.dstack(list(channels_of(image))))
        scaled = scale(levels, *range_used([(float(levels.min()), float(levels.max()))]))
        return Image.fromarray(to_grey_array(np.broadcast_to(scaled, (*scaled.shape[:2], 3))))
    return on_ground(image, ground).convert("L")


def is_plain(image: np.ndarray) -> bool:
    """Return whether at least half of the border of an image (h, w) belongs to its ground."""
    border = border_of(image[None])
    return bool((np.abs(border - np.median(border)) <= TOLERANCE).mean() >= 0.5)


def contrasting_ground(image: Image.Image) -> int:
    """Return the level to show behind a transparent image: white if its visible part is dark, else black."""
    if not is_transparent(image):
        return 0
    lightness, opacity = (np.asarray(band, dtype=np.float64) for band in image.convert("RGBA").convert("LA").split())
    return 255 if (lightness * opacity).sum() < 127 * opacity.sum() else 0


def cut(grey: Image.Image, size: int, extent: int) -> np.ndarray:
    """Cut out what a grey image shows, light on black, and centre it, `extent` pixels long, in uint8 (size, size).

    An image that is darker than its ground on average is negated. The ground becomes 0.
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
