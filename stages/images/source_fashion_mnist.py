"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747), read from its IDX files."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.errors import InputError
from stages.common.input_checks import MOST_UNPACKED, is_file
from stages.common.samples_table import numbered_samples
from stages.images.garment_framing import framing_arrays
from stages.images.garments.garments import CLASS_NAMES

FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
FEWEST_IMAGES = 50


def fashion_mnist_images(root: str) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Read Fashion-MNIST from `root`; torchvision downloads it if it is not there.

    There are as many images as the files' headers say. Returns the samples and the arrays of `data/images.npz`. Raises
    `InputError` if the files are missing and cannot be downloaded, or damaged.
    """
    raw = Path(root, "FashionMNIST", "raw")
    files = [f"{raw}/{name}-ubyte" for name in FILES]
    if not all(map(is_file, files)):
        _download(root)
    train_images, train_labels, test_images, test_labels = (read_idx(path, path[-7] == "3") for path in files)
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if len(images) != len(labels) or len(images) < FEWEST_IMAGES or (labels >= len(CLASS_NAMES)).any():
            raise InputError(
                f"{raw} holds {len(images)} images with {len(labels)} labels up to {labels.max(initial=0)}; needed are "
                f"as many of both, at least {FEWEST_IMAGES}, labels up to 9: set images.root in params.yaml"
            )
    labels = np.concatenate([train_labels, test_labels]).astype(np.int64)
    samples = numbered_samples(len(train_images), len(test_images), labels, list(CLASS_NAMES))
    return samples, framing_arrays(np.concatenate([train_images, test_images]), len(train_images))


def _download(root: str) -> None:
    from stages.common.torchvision_import import torchvision  # takes seconds, and only the download needs it

    try:
        torchvision.datasets.FashionMNIST(root, download=True)
    except Exception as error:  # network, disk and archives fail in many ways
        raise InputError(
            f"Fashion-MNIST is not in {root}/FashionMNIST/raw and cannot be downloaded ({error}): "
            "check the network, or set images.root in params.yaml to a folder that holds it"
        ) from None


def read_idx(path: str, of_images: bool) -> np.ndarray:
    """Return the array uint8 of an IDX file (yann.lecun.com/exdb/mnist): labels (n,), or images (n, 28, 28).

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
            f"{path} is not an IDX file of Fashion-MNIST ({error}): delete it, or set images.root in params.yaml"
        ) from None
