"""Contact sheets, and the images that are their tiles."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stages.figures.style import new_figure

EDGE = 0.02  # inches of colour around a tile


def new_sheet(width: float, height: float, title: str, note: str) -> tuple[Figure, Axes]:
    """Return a figure with room for its heading, and bare axes in inches: x from 0 to the right, y from 0 down.

    Call it inside `paper()`.
    """
    figure = new_figure(width, height + 0.75, title, note)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, (height + 0.1) / (height + 0.75)))
    axes.set_axis_off()
    axes.set(xlim=(-0.16, width - 0.16), ylim=(-height, 0.1), autoscale_on=False)
    return figure, axes


def draw_tile(axes: Axes, image: np.ndarray, left: float, top: float, side: float, colour: str | None = None) -> None:
    """Draw an image uint8 (h, w) or (h, w, 3), `side` long, hung from (left, top), on an edge of that colour."""
    height, width = (side * length / max(image.shape[:2]) for length in image.shape[:2])
    if colour is not None:
        corner = (left - EDGE, top - height - EDGE)
        axes.add_patch(Rectangle(corner, width + 2 * EDGE, height + 2 * EDGE, facecolor=colour, linewidth=0))
    place = {"extent": (left, left + width, top - height, top), "aspect": "auto", "zorder": 2}
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest", **place)
