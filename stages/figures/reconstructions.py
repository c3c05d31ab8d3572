"""Originals over their reconstructions."""

import numpy as np
from matplotlib.figure import Figure

from stages.common.colours import class_colour
from stages.figures.style import INK, MUTED, paper, shorten
from stages.figures.tiles import draw_tile, new_sheet

PER_ROW = 10  # pairs beside each other
MOST = 40  # pairs in one picture
TILE, GAP, NAME, ERROR = 0.82, 0.10, 0.24, 0.36  # inches: an image, between images, above a pair, below it


def draw_reconstructions(
    images: np.ndarray,
    reconstructions: np.ndarray,
    errors: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    trained: bool = False,
) -> Figure:
    """Draw the first images of each class, about ten in all, over their reconstructions, with their errors below.

    Args:
        images, reconstructions: uint8 (n, h, w) grey or (n, h, w, 3) colour, at least one.
        errors: float (n,), mean squared error of intensities between 0 and 1.
        labels: int (n,), -1 where unknown; without any label the first ten images are shown.
        class_names: str (classes,).
        trained: whether these are training images.
    """
    present = len(np.unique(labels[labels >= 0]))
    chosen = first_of_each(labels, max(PER_ROW // max(present, 1), 1))
    which = "a training image" if trained else "not trained on"
    note = f"upper image: the original, {which}; lower: its reconstruction; number: mean squared error, 0 to 1"
    if len(chosen) > MOST:
        note += f"; {MOST} of {len(chosen)} pairs"
        chosen = chosen[:MOST]
    columns = min(len(chosen), PER_ROW)
    rows = -(-len(chosen) // columns)
    name_height = NAME if present else 0.0
    high = TILE * min(1.0, images.shape[1] / images.shape[2])
    width, height = PER_ROW * (TILE + GAP) + 0.3, rows * (2 * high + name_height + ERROR + 0.04)
    with paper():
        figure, axes = new_sheet(width, height, "What the autoencoder keeps of an image", note)
        for place, index in enumerate(chosen):
            left = (place % columns) * (TILE + GAP)
            top = -(place // columns) * (height / rows) - name_height
            middle, label = left + TILE / 2, labels[index]
            if label >= 0:
                name = shorten(class_names[label], 12)
                axes.text(left, top + 0.17, "■", size=6, color=class_colour(label), ha="left", va="center")
                axes.text(left + 0.1, top + 0.17, name, size=7.5, color=INK, ha="left", va="center")
            indent = TILE * (1 - min(1.0, images.shape[2] / images.shape[1])) / 2
            draw_tile(axes, images[index], left + indent, top, TILE)
            draw_tile(axes, reconstructions[index], left + indent, top - high - 0.04, TILE)
            below = top - 2 * high - 0.16
            axes.text(middle, below, f"{errors[index]:.4f}", size=7.5, color=MUTED, ha="center", va="center")
        return figure


def first_of_each(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Return the first `per_class` rows of each class, class by class; the first ten rows if there are no labels."""
    known = np.unique(labels[labels >= 0])
    if not len(known):
        return np.arange(min(len(labels), PER_ROW))
    return np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in known])
