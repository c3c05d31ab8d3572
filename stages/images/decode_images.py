"""Image files of every format and mode as squares of 8 bits a channel.

Alpha is composited on black, or on white if nearly all that is visible is black. EXIF rotation is applied, and an
animation gives its first frame. Images of more than 8 bits a channel (12 or 16 bits, 32-bit integers, floats) are
scaled by the range that the whole data set uses.
"""

import contextlib
import os
import re
import sys
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
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

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
MOST_MEASURED = 1_000_000  # pixels of a channel from which its range is estimated
NEARLY_BLACK, VANISHING = 40, 0.8  # a level, and the share of what is visible that may be darker on a black ground
LOW_BYTES = "low bytes"  # key of `Image.info`: the low bytes of 16-bit colours, of which Pillow reads the high ones
BITS, WHITE_IS_ZERO, PLANES, SAMPLE_FORMAT = 258, 262, 284, 339  # tags of TIFF; the second has the value 0 then
OTHER_ORDER = {
    f"{colours};16{order}": f"{colours};16{other}"
    for colours in ("RGB", "RGBA", "RGBX")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B" if sys.byteorder == "little" else "L"))
}

Image.MAX_IMAGE_PIXELS = None  # open_image has its own limits


class Square(NamedTuple):
    """A decoded image: `pixels` uint8 (p, p, 3) and no `span`, or one of more than 8 bits a channel.

    The `pixels` of the latter are float32 (p, p, 1) or (p, p, 3), and `span` (low, high) is the range of their values.
    """

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
                squares, spans = zip(*(_deep_square(levels, pixels, fit) for levels in channels_of(image)), strict=True)
                return Square(np.dstack(squares), (min(low for low, _ in spans), max(high for _, high in spans)))
            image = image.convert("RGBA" if is_transparent(image) else "RGB")
            square = _to_square(image, pixels, fit)
            ground = 255 if is_transparent(square) and vanishes_on_black(square) else 0
            return Square(np.asarray(on_ground(square, ground).convert("RGB")), None)


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
    except UnidentifiedImageError:
        raise InputError(
            f"{path} cannot be read as an image: it is none, or of a kind such as colours in floats: save it as PNG"
        ) from None
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
        tags = getattr(image, "tag_v2", {})
        if tags.get(PLANES) == 2 and max(tags.get(BITS, (8,))) > 8:  # Pillow reads something else
            raise InputError(
                f"{path} has a plane of 16 bits for each colour: save it with interleaved colours, or as PNG"
            )
        tiles = [_in_other_order(tile) for tile in image.tile]
        upright = ImageOps.exif_transpose(image)
        if image.mode == "L" and tags.get(SAMPLE_FORMAT) == (2,):  # integers with a sign
            upright = Image.fromarray(np.asarray(upright).view(np.int8).astype(np.int32))
        if image.mode.startswith("I;16") and tags.get(WHITE_IS_ZERO) == 0:  # Pillow inverts only 8 bits
            upright = Image.fromarray((2 ** tags[BITS][0] - 1 - np.asarray(upright)).astype(np.uint16))
        if all(tiles) and tiles:
            with _opened(path) as again:
                again.tile = tiles
                upright.info[LOW_BYTES] = ImageOps.exif_transpose(again)
        yield upright


def _opened(path: Path) -> Image.Image:
    if not is_file(str(path)):
        raise OSError("it is no file")  # a pipe would be waited for
    if (size := os.path.getsize(path)) > MAX_BYTES:
        raise InputError(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}")
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def _in_other_order(tile: ImageFile._Tile) -> ImageFile._Tile | None:
    """Return how to read the low byte of each 16-bit colour of a part of an image; None if it has no such colours."""
    raw_mode, *others = tile.args if isinstance(tile.args, tuple) and tile.args else (tile.args,)
    return tile._replace(args=(OTHER_ORDER[raw_mode], *others)) if raw_mode in OTHER_ORDER else None


def has_other_depth(image: Image.Image) -> bool:
    """Return whether an image of `open_image` has more than 8 bits a channel."""
    return image.mode.startswith("I") or image.mode == "F" or LOW_BYTES in image.info


def channels_of(image: Image.Image) -> Iterator[np.ndarray]:
    """Yield the values float32 (h, w) of one grey channel or of three colours of more than 8 bits, alpha on black."""
    if LOW_BYTES not in image.info:
        yield np.array(image, dtype=np.float32)
        return
    pairs = list(zip(image.split(), image.info[LOW_BYTES].split(), strict=True))
    for high, low in pairs[:3]:
        levels = 256 * np.asarray(high, np.float32) + np.asarray(low)
        yield levels * (np.asarray(pairs[3][0], np.float32) / 255) if len(pairs) == 4 else levels


def is_transparent(image: Image.Image) -> bool:
    """Return whether some pixels may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def vanishes_on_black(image: Image.Image) -> bool:
    """Return whether nearly all that an image with alpha shows is black, as in sets of icons."""
    *colours, opacity = np.moveaxis(np.asarray(image, dtype=np.float64), 2, 0)
    return (opacity * (np.max(colours, axis=0) < NEARLY_BLACK)).sum() > VANISHING * opacity.sum()


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


def _deep_square(levels: np.ndarray, pixels: int, fit: str) -> tuple[np.ndarray, tuple[float, float]]:
    """Return a channel (h, w) as a square float32 (p, p), and its range, within which all that is not finite is put."""
    low, high = _span_of(levels)
    np.nan_to_num(levels, copy=False, nan=low, posinf=high, neginf=low)
    return np.asarray(_to_square(Image.fromarray(levels), pixels, fit, min(low, 0))), (low, high)


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
