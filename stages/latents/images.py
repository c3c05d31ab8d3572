"""The images the autoencoder learns: drawn garments, Fashion-MNIST, or a folder of the user's own.

All of them end as `ImageSet`: grey, one size, light on dark as they come, split into training and test images.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stages.latents.garments import CLASS_NAMES, FACTORS, draw_garments
from stages.pipeline.errors import InputError
from stages.pipeline.params import ImagesParams
from stages.pipeline.progress import progress

UNKNOWN = -1
FEWEST_IMAGES = 50
MAX_PIXELS = 80_000_000


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
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) as torchvision reads it from `root`, downloaded if it is not there.

    As many images as the files' headers say. Raises `InputError` where neither files nor network are to be had.
    """
    from stages.latents.torchvision_import import torchvision  # costs seconds, and only this source needs it

    def load(train: bool):
        return torchvision.datasets.FashionMNIST(root, train=train, download=True)

    try:
        train, test = load(train=True), load(train=False)
    except (RuntimeError, ValueError, EOFError, OSError) as error:
        raise InputError(
            f"Fashion-MNIST is neither in {root}/FashionMNIST/raw nor can be downloaded ({error}): "
            "check the network, or set images.root in params.yaml to a folder that holds it"
        ) from None
    for part in (train, test):
        if part.data.shape[1:] != (28, 28) or len(part.data) != len(part.targets):
            raise InputError(f"{root}/FashionMNIST/raw: images {tuple(part.data.shape)}, labels {len(part.targets)}")
    return _without_factors(
        train.data.numpy(), test.data.numpy(), train.targets.numpy(), test.targets.numpy(), np.array(train.classes)
    )


def folder_images(params: ImagesParams) -> ImageSet:
    """Every image below `params.source`, shuffled by the seed and split; the first subfolder is the class.

    Raises `InputError` for a missing folder, too few images, or (unless `folder_broken: skip`) an unreadable one.
    """
    folder = Path(params.source)
    if not folder.is_dir():
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
        print(f"skipped: {path}")
    if len(images) < FEWEST_IMAGES:
        raise InputError(f"{folder} holds {len(images)} readable images, at least {FEWEST_IMAGES} are needed")
    order = np.random.default_rng(params.seed).permutation(len(images))
    images, labels = np.stack(images)[order], np.array(labels, dtype=np.int64)[order]
    test = max(round(len(images) * params.folder_test_fraction), 1)
    return _without_factors(
        images[test:], images[:test], labels[test:], labels[:test], np.array(class_names, dtype=str)
    )


def image_files(folder: Path) -> list[Path]:
    """All files below `folder` that end as an image does, in one order on every machine; hidden ones left out."""
    suffixes = Image.registered_extensions()
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and not path.is_dir())
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def read_image(path: Path, folder: Path, size: int) -> np.ndarray:
    """One image file as grey (size, size) uint8: turned upright, transparency on black, its whole on a black square.

    Raises `InputError` that names the file if it is broken, too large, or a link that leads out of `folder`.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path} is a link out of {folder}")
    return whole(to_grey(open_image(path, 2 * size)), size)


def open_image(path: Path, enough: int) -> Image.Image:
    """One image file of any mode, turned upright; a JPEG may be decoded smaller, with at least `enough` pixels a side.

    Raises `InputError` that names the file if it is broken or too large.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{path} has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
            image.draft("L", (enough, enough))
            return ImageOps.exif_transpose(image)
    except InputError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image ({error})") from None


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
