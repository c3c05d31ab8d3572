"""The images the autoencoder learns: drawn garments, Fashion-MNIST, or a folder of the user's own.

Each source returns the samples and their images, training rows first.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from stages.common.errors import InputError
from stages.common.input_checks import MOST_UNPACKED, is_file
from stages.common.progress import progress
from stages.common.samples import make_samples
from stages.common.settings import ImagesParams
from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments

UNKNOWN = -1
FEWEST_IMAGES = 50
MAX_PIXELS = 80_000_000
MAX_BYTES = 200_000_000  # of a file: some formats are read whole before they are decoded
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TGA", "TIFF", "WEBP")  # none runs a program
FASHION_MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def drawn_images(params: ImagesParams) -> tuple[pd.DataFrame, np.ndarray]:
    """Return garments drawn by the project: samples (n rows) and images (n, 28, 28) uint8.

    Training and test images are two draws with a seed each; the factors of the drawing are columns of the samples.
    """
    train = draw_garments(params.train_samples, seed=2 * params.seed)
    test = draw_garments(params.test_samples, seed=2 * params.seed + 1)
    images, labels, factors = (np.concatenate(parts) for parts in zip(train, test, strict=True))
    columns = pd.DataFrame(factors, columns=list(FACTORS))
    return numbered_samples(len(train[0]), len(test[0]), labels, list(CLASS_NAMES), columns), images


def numbered_samples(
    train: int, test: int, labels: np.ndarray, classes: list[str], columns: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return samples of images that have no files, named `train-00000`, …, `test-00000`, …"""
    names = [f"{split}-{i:05d}" for split, count in (("train", train), ("test", test)) for i in range(count)]
    return make_samples(np.repeat(["train", "test"], [train, test]), names, labels, classes, columns)


def fashion_mnist_images(root: str) -> tuple[pd.DataFrame, np.ndarray]:
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
    labels = np.concatenate([train_labels, test_labels]).astype(np.int64)
    samples = numbered_samples(len(train_images), len(test_images), labels, list(CLASS_NAMES))
    return samples, np.concatenate([train_images, test_images])


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


def folder_images(params: ImagesParams) -> tuple[pd.DataFrame, np.ndarray]:
    """Every image below `params.source`, shuffled by the seed and split; the first subfolder is the class.

    Raises `InputError` for a missing folder, too few images, or (unless `on_broken: skip`) an unreadable one.
    """
    folder = Path(params.source)
    if not os.path.isdir(folder):
        raise InputError(
            f"params.yaml: images.source = {params.source!r} is no folder: use drawn, fashion-mnist or a folder"
        )
    files = image_files(folder)
    class_names = sorted({path.relative_to(folder).parts[0] for path in files if path.parent != folder})
    images, labels, names, broken = [], [], [], []
    for path in progress(files, "reading images", unit="image"):
        try:
            images.append(read_image(path, folder, params.pixels))
        except InputError as error:
            if params.on_broken == "refuse":
                raise InputError(f"{error}; remove it or set images.on_broken to skip") from None
            broken.append(path)
            continue
        parts = path.relative_to(folder).parts
        names.append(os.fsencode(Path(*parts)).decode(errors="replace"))  # a name may not be UTF-8
        labels.append(class_names.index(parts[0]) if len(parts) > 1 else UNKNOWN)
    for path in broken:
        print(f"skipped: {path}", file=sys.stderr)  # whatever bytes a name has, stderr can show it
    if len(images) < FEWEST_IMAGES:
        raise InputError(f"{folder} holds {len(images)} readable images, at least {FEWEST_IMAGES} are needed")
    order = np.random.default_rng(params.seed).permutation(len(images))
    test, train = np.split(order, [round(len(images) * params.test_fraction)])
    order = np.concatenate([train, test])
    classes = [os.fsencode(name).decode(errors="replace") for name in class_names]
    split = np.repeat(["train", "test"], [len(train), len(test)])
    samples = make_samples(split, [names[i] for i in order], np.array(labels)[order], classes)
    return samples, np.stack(images)[order]


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
