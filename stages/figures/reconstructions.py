"""Originals over their reconstructions."""

import numpy as np
from matplotlib.figure import Figure

from stages.common.colours import class_colour
from stages.figures.style import INK, MUTED, new_figure, paper, shorten

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
        figure = new_figure(width, height + 0.85, "What the autoencoder keeps of an image", note)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, (height + 0.1) / (height + 0.85)))
        axes.set_axis_off()
        for place, index in enumerate(chosen):
            left = (place % columns) * (TILE + GAP)
            top = -(place // columns) * (height / rows) - name_height
            middle, label = left + TILE / 2, labels[index]
            if label >= 0:
                name = shorten(class_names[label], 12)
                axes.text(left, top + 0.17, "■", size=6, color=class_colour(label), ha="left", va="center")
                axes.text(left + 0.1, top + 0.17, name, size=7.5, color=INK, ha="left", va="center")
            for picture, upper in ((images[index], top), (reconstructions[index], top - high - 0.04)):
                shape = {"extent": fitted(picture.shape, left, upper), "aspect": "auto", "interpolation": "nearest"}
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255, **shape)
            below = top - 2 * high - 0.16
            axes.text(middle, below, f"{errors[index]:.4f}", size=7.5, color=MUTED, ha="center", va="center")
        axes.set(xlim=(-0.16, width - 0.16), ylim=(-height, 0.1))
        return figure


def first_of_each(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Return the first `per_class` rows of each class, class by class; the first ten rows if there are no labels."""
    known = np.unique(labels[labels >= 0])
    if not len(known):
        return np.arange(min(len(labels), PER_ROW))
    return np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in known])


def fitted(shape: tuple[int, ...], left: float, top: float) -> tuple[float, float, float, float]:
    """Return the extent (left, right, bottom, top) of an image of `shape` in the column at `left`, hung from `top`."""
    height, width = (TILE * side / max(shape[:2]) for side in shape[:2])
    left += (TILE - width) / 2
    return left, left + width, top - height, top
