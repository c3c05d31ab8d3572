"""Image files of every format and mode as squares of 8 bits a channel.

Alpha is composited on black, EXIF rotation is applied, and an animation gives its first frame. Grey images of another
depth (12 or 16 bits, 32-bit integers, floats) are scaled by the range that the whole data set uses.
"""

import contextlib
import os
import re
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from stages.common.errors import InputError
from stages.common.input_checks import is_file

MAX_PIXELS = 80_000_000  # that are decoded; a JPEG is decoded at a reduced size
MAX_REDUCED = 1_000_000_000  # of a JPEG, before it is reduced
MAX_BYTES = 200_000_000  # of a file: some formats are read whole before they are decoded
FORMATS = (
    "AVIF",
    "BMP",
    "GIF",
    "HEIF",
    "JPEG",
    "JPEG2000",
    "MPO",
    "PNG",
    "PPM",
    "TGA",
    "TIFF",
    "WEBP",
)  # none runs a program
DVC_CACHE = re.compile(r"/[0-9a-f]{2}/[0-9a-f]{30}$")
LARGE, LARGE_AT_ONCE = 8_000_000, threading.Semaphore(2)  # pixels; bounds the memory of parallel decoding
MOST_THREADS = 16
MOST_MEASURED = 1_000_000  # pixels of an image from which its range is estimated

Image.MAX_IMAGE_PIXELS = None  # open_image has its own limits


class Square(NamedTuple):
    """A decoded image: `pixels` uint8 (p, p, 3), or float32 (p, p) with the `span` (low, high) of its values."""

    pixels: np.ndarray
    span: tuple[float, float] | None


@cache
def endings() -> frozenset[str]:
    """Return the lower-case file name endings of images, such as `.jpg`."""
    Image.init()
    pillow_heif.register_heif_opener()
    return frozenset(ending for ending, name in Image.registered_extensions().items() if name in FORMATS)


def read_square(path: Path, pixels: int, fit: str, folder: Path | None = None) -> Square:
    """Decode one image file as a square of `pixels` a side.

    Args:
        path: the file.
        pixels: side of the square.
        fit: `crop` takes the central square, `pad` keeps the whole image between black bars.
        folder: links out of it are refused, except into DVC's cache.

    Raises:
        InputError: naming the file, if it is broken, too large, or a link that leads out of `folder`.
    """
    with naming(path):
        if folder is not None:
            _refuse_links_out(path, folder)
        with open_image(path, 2 * pixels) as image:
            if has_other_depth(image):
                levels = np.array(image, dtype=np.float32)
                span = _span_of(levels)
                np.nan_to_num(levels, copy=False, nan=span[0], posinf=span[1], neginf=span[0])
                return Square(np.asarray(_to_square(Image.fromarray(levels), pixels, fit, span[0])), span)
            image = image.convert("RGBA" if is_transparent(image) else "RGB")
            return Square(np.asarray(on_ground(_to_square(image, pixels, fit), 0).convert("RGB")), None)


def read_squares(paths: list[Path], pixels: int, fit: str, folder: Path | None = None) -> Iterator[Square | InputError]:
    """Decode many files on every core, in bounded memory; yields a square or its error for each, in order."""
    endings()  # registers the formats before the threads start

    def read(path: Path) -> Square | InputError:
        try:
            return read_square(path, pixels, fit, folder)
        except InputError as error:
            return error

    with warnings.catch_warnings(action="ignore"):  # of odd metadata
        yield from in_parallel(read, paths)


def in_parallel(function: Callable, items: Iterable) -> Iterator:
    """Yield `function` of each item in order; threads work at most a few items ahead."""
    threads = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(), MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def side_of(path: Path) -> int:
    """Return the shorter side of an image file in pixels, as its header says; 0 if it cannot be read."""
    endings()
    try:
        with naming(path), _opened(path) as image:
            return min(image.size)
    except InputError:
        return 0


def is_grey(pixels: np.ndarray) -> bool:
    """Return whether no channel of (p, p, 3) uint8 differs visibly from the others (JPEG rounds by a level or two)."""
    return bool((pixels.max(axis=2) - pixels.min(axis=2)).max(initial=0) <= 3)


def to_grey_array(pixels: np.ndarray) -> np.ndarray:
    """Return colours uint8 (..., 3) as luma uint8 (...), with the weights of ITU-R 601-2; equal channels are kept."""
    red, green, blue = (pixels[..., i].astype(np.uint32) for i in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).astype(np.uint8)


def range_used(spans: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return which values become 0 and 255, given the spans (low, high) of all images.

    That is 0 and the least 2^k - 1 that holds all values (4095 for 12 bits, 1 for floats up to 1), or the lowest and
    highest value if some are negative, or if they use less than a quarter of that range.
    """
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    full = max(2 ** np.ceil(np.log2(0.99 * high + 1)) - 1, 1.0) if high > 0 else 1.0
    narrow = low < 0 or high - low < full / 4
    return (low, high) if narrow and high > low else (0.0, float(full))


def scale(levels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return float levels as uint8: `low` becomes 0, `high` 255."""
    return ((levels - low) * (255 / (high - low))).round().clip(0, 255).astype(np.uint8)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with an image file into an `InputError` that names it."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # each format and mode fails in its own ways
        raise InputError(f"{path} cannot be read as an image ({error})") from None


@contextlib.contextmanager
def open_image(path: Path, enough: int) -> Iterator[Image.Image]:
    """Open one image file and turn it upright; a JPEG may be decoded smaller, with at least `enough` pixels a side.

    Raises `InputError` that names the file if it is broken or too large.
    """
    endings()
    with naming(path), contextlib.ExitStack() as stack:
        image = stack.enter_context(_opened(path))
        width, height = image.size
        image.draft(None, (enough, enough))
        if image.width * image.height > MAX_PIXELS or width * height > MAX_REDUCED:
            raise InputError(f"{path} has {width} x {height} pixels, more than {MAX_PIXELS:,}")
        if image.width * image.height > LARGE:
            stack.enter_context(LARGE_AT_ONCE)
        yield ImageOps.exif_transpose(image)


def _opened(path: Path) -> Image.Image:
    if not is_file(str(path)):
        raise OSError("it is no file")  # a pipe would be waited for
    if (size := os.path.getsize(path)) > MAX_BYTES:
        raise InputError(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}")
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def has_other_depth(image: Image.Image) -> bool:
    """Return whether an image has one channel of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def is_transparent(image: Image.Image) -> bool:
    """Return whether some pixels may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def on_ground(image: Image.Image, ground: int) -> Image.Image:
    """Composite an image with alpha on a grey ground of that level; others are returned as they are."""
    if not is_transparent(image):
        return image
    below = Image.new("RGBA", image.size, (ground, ground, ground, 255))
    return Image.alpha_composite(below, image.convert("RGBA"))


def _to_square(image: Image.Image, pixels: int, fit: str, bars: float = 0) -> Image.Image:
    if fit == "pad":
        width, height = (max(round(length * pixels / max(image.size)), 1) for length in image.size)
        square = Image.new(image.mode, (pixels, pixels), bars)
        whole = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        square.paste(whole, ((pixels - width) // 2, (pixels - height) // 2))
        return square
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((pixels, pixels), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def _span_of(levels: np.ndarray) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentile: a single hot pixel does not set the range."""
    values = levels.ravel()[:: max(levels.size // MOST_MEASURED, 1)]
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, (0.1, 99.9), method="nearest") if values.size else (0, 1)
    return float(low), float(high)


def _refuse_links_out(path: Path, folder: Path) -> None:
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()) and not DVC_CACHE.search(target.as_posix()):
        raise InputError(f"{path} is a link out of {folder}: put a copy there instead")
