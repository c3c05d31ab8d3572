"""The images the autoencoder learns: drawn garments, Fashion-MNIST, or a folder of the user's own.

All of them end as `ImageSet`: grey, one size, light on dark as they come, split into training and test images.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from stages.common.errors import InputError
from stages.common.input_checks import MOST_UNPACKED, is_file
from stages.common.progress import progress
from stages.common.settings import ImagesParams
from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments

UNKNOWN = -1
FEWEST_IMAGES = 50
MAX_PIXELS = 80_000_000
MAX_BYTES = 200_000_000  # of a file: some formats are read whole before they are decoded
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TGA", "TIFF", "WEBP")  # none runs a program
FASHION_MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


@dataclass(frozen=True)
class ImageSet:
    """Images (n, h, w) uint8 with labels (n,) int64 (-1: unknown), their classes' names, and what they were drawn from.

    `factors` (n, f) float32 are the drawing's own factors, NaN where one does not apply; other sources have none.
    """

    train_images: np.ndarray
    test_images: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    class_names: np.ndarray
    factor_names: np.ndarray
    train_factors: np.ndarray
    test_factors: np.ndarray


def drawn_images(params: ImagesParams) -> ImageSet:
    """Garments drawn by the project itself: a training and a test draw, each with a seed of its own."""
    train = draw_garments(params.drawn_train, seed=2 * params.seed)
    test = draw_garments(params.drawn_test, seed=2 * params.seed + 1)
    return ImageSet(
        train[0], test[0], train[1], test[1], np.array(CLASS_NAMES), np.array(FACTORS), train[2], test[2]
    )  # fmt: skip


def fashion_mnist_images(root: str) -> ImageSet:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from `root`, where torchvision downloads it if it is not there.

    As many images as the files' headers say. Raises `InputError` where neither files nor network are to be had, and
    for files that are not what they should be.
    """
    raw = Path(root, "FashionMNIST", "raw")
    files = [f"{raw}/{name}-ubyte" for name in FASHION_MNIST]
    if not all(map(is_file, files)):
        _download_fashion_mnist(root)
    train_images, train_labels, test_images, test_labels = (read_idx(path, path[-7] == "3") for path in files)
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if len(images) != len(labels) or len(images) < FEWEST_IMAGES or (labels >= len(CLASS_NAMES)).any():
            raise InputError(
                f"{raw} holds {len(images)} images with {len(labels)} labels up to {labels.max(initial=0)}; needed are "
                f"as many of both, at least {FEWEST_IMAGES}, labels up to 9: set images.root in params.yaml"
            )
    labels = train_labels.astype(np.int64), test_labels.astype(np.int64)
    return _without_factors(train_images, test_images, *labels, np.array(CLASS_NAMES))


def _download_fashion_mnist(root: str) -> None:
    from stages.common.torchvision_import import torchvision  # costs seconds, and only the download needs it

    try:
        torchvision.datasets.FashionMNIST(root, download=True)
    except Exception as error:  # network, disk and archives fail in many ways
        raise InputError(
            f"Fashion-MNIST is neither in {root}/FashionMNIST/raw nor can be downloaded ({error}): "
            "check the network, or set images.root in params.yaml to a folder that holds it"
        ) from None


def read_idx(path: str, of_images: bool) -> np.ndarray:
    """The array uint8 of an IDX file (yann.lecun.com/exdb/mnist): labels (n,), or images (n, 28, 28).

    Raises `InputError` unless its magic number, shape and length are those of such a file.
    """
    magic, shape = (0x0803, (-1, 28, 28)) if of_images else (0x0801, (-1,))
    try:
        size = os.path.getsize(path)
        header = np.fromfile(path, ">u4", 1 + len(shape))
        expected = [magic, (size - 4 * (1 + len(shape))) // (28 * 28 if of_images else 1), *shape[1:]]
        if header.tolist() != expected or size > MOST_UNPACKED:
            raise ValueError(f"its header is {header.tolist()}, its {size:,} bytes call for {expected}")
        return np.fromfile(path, np.uint8, offset=header.nbytes).reshape(shape)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no IDX file of Fashion-MNIST ({error}): delete it, or set images.root in params.yaml"
        ) from None


def folder_images(params: ImagesParams) -> ImageSet:
    """Every image below `params.source`, shuffled by the seed and split; the first subfolder is the class.

    Raises `InputError` for a missing folder, too few images, or (unless `folder_broken: skip`) an unreadable one.
    """
    folder = Path(params.source)
    if not os.path.isdir(folder):
        raise InputError(
            f"params.yaml: images.source = {params.source!r} is no folder: use drawn, fashion-mnist or a folder"
        )
    files = image_files(folder)
    class_names = sorted({path.relative_to(folder).parts[0] for path in files if path.parent != folder})
    images, labels, broken = [], [], []
    for path in progress(files, "reading images", unit="image"):
        try:
            images.append(read_image(path, folder, params.size))
        except InputError as error:
            if params.folder_broken == "refuse":
                raise InputError(f"{error}; remove it or set images.folder_broken to skip") from None
            broken.append(path)
            continue
        parts = path.relative_to(folder).parts
        labels.append(class_names.index(parts[0]) if len(parts) > 1 else UNKNOWN)
    for path in broken:
        print(f"skipped: {path}", file=sys.stderr)  # whatever bytes a name has, stderr can show it
    if len(images) < FEWEST_IMAGES:
        raise InputError(f"{folder} holds {len(images)} readable images, at least {FEWEST_IMAGES} are needed")
    order = np.random.default_rng(params.seed).permutation(len(images))
    images, labels = np.stack(images)[order], np.array(labels, dtype=np.int64)[order]
    test = max(round(len(images) * params.folder_test_fraction), 1)
    names = [os.fsencode(name).decode(errors="replace") for name in class_names]  # a folder's may be no UTF-8
    return _without_factors(images[test:], images[:test], labels[test:], labels[:test], np.array(names, dtype=str))


def image_files(folder: Path) -> list[Path]:
    """All files below `folder` that end as an image does, in one order on every machine; hidden ones left out."""
    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and not os.path.isdir(path))
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def read_image(path: Path, folder: Path, size: int) -> np.ndarray:
    """One image file as grey (size, size) uint8: turned upright, transparency on black, its whole on a black square.

    Raises `InputError` that names the file if it is broken, too large, or a link that leads out of `folder`.
    """
    with naming(path):
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{path} is a link out of {folder}")
        return whole(to_grey(open_image(path, 2 * size)), size)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Whatever goes wrong with an image file becomes an `InputError` that names it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd metadata
            yield
    except InputError:
        raise
    except Exception as error:  # each format and mode fails in its own ways
        raise InputError(f"{path} cannot be read as an image ({error})") from None


def open_image(path: Path, enough: int) -> Image.Image:
    """One image file of any mode, turned upright; a JPEG may be decoded smaller, with at least `enough` pixels a side.

    Raises `InputError` that names the file if it is broken or too large, however small it looks from outside.
    """
    Image.init()
    with naming(path):
        if not is_file(str(path)):
            raise OSError("it is no file")  # a pipe would be waited for
        if (size := os.path.getsize(path)) > MAX_BYTES:
            raise InputError(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}")
        with Image.open(path, formats=[kind for kind in FORMATS if kind in Image.OPEN]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{path} has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
            image.draft("L", (enough, enough))
            return ImageOps.exif_transpose(image)


def is_transparent(image: Image.Image) -> bool:
    """Whether some of its pixels may be transparent."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def to_grey(image: Image.Image, ground: int = 0) -> Image.Image:
    """Any image as grey of 8 bits (mode L); what is transparent shows a ground of that intensity."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if is_transparent(image):
        below = Image.new("RGBA", image.size, (ground, ground, ground, 255))
        return Image.alpha_composite(below, image.convert("RGBA")).convert("L")
    return image.convert("L")


def whole(grey: Image.Image, size: int) -> np.ndarray:
    """The whole of a grey image on a black square, (size, size) uint8."""
    return np.asarray(ImageOps.pad(grey, (size, size), method=Image.Resampling.LANCZOS))


def _without_factors(train_images, test_images, train_labels, test_labels, class_names) -> ImageSet:
    none = np.array([], dtype=str)
    width_zero = [np.zeros((len(images), 0), np.float32) for images in (train_images, test_images)]
    return ImageSet(train_images, test_images, train_labels, test_labels, class_names, none, *width_zero)
