"""Reading of new image files for the finished map, exactly as the training images were read."""

from pathlib import Path

import numpy as np

from stages.images.decode_images import is_grey, range_used, read_square, scale, to_grey_array
from stages.images.garment_framing import Framing, read_framed


def read_like_training(path: Path, arrays: dict[str, np.ndarray], fit: str) -> tuple[np.ndarray, list[str]]:
    """Read an image file as the images of `data/images.npz` were read.

    Args:
        path: the file.
        arrays: the arrays of `data/images.npz`.
        fit: the setting `images.fit`.

    Returns:
        Pixels uint8 (p, p) or (p, p, 3), and warnings in words.

    Raises:
        InputError: naming the file, if it cannot be read.
    """
    if "framing" in arrays:
        return read_framed(path, Framing(*map(int, arrays["framing"])))
    images = arrays["images"]
    square, span = read_square(path, images.shape[1], fit)
    if span is not None:
        scaled = scale(square, *(arrays["levels"] if "levels" in arrays else range_used([span])))
        square = np.ascontiguousarray(np.broadcast_to(scaled, (*scaled.shape[:2], 3)))
    if images.ndim == 4:
        return square, []
    return to_grey_array(square), [] if is_grey(square) else ["it has colours, the training images are grey"]
