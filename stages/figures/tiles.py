"""Images as tiles of a contact sheet."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

EDGE = 0.02  # inches of colour around a tile


def draw_tile(axes: Axes, image: np.ndarray, left: float, top: float, side: float, colour: str | None = None) -> None:
    """Draw an image uint8 (h, w) or (h, w, 3), `side` long, hung from (left, top), on an edge of that colour."""
    height, width = (side * length / max(image.shape[:2]) for length in image.shape[:2])
    if colour is not None:
        corner = (left - EDGE, top - height - EDGE)
        axes.add_patch(Rectangle(corner, width + 2 * EDGE, height + 2 * EDGE, facecolor=colour, linewidth=0))
    place = {"extent": (left, left + width, top - height, top), "aspect": "auto", "zorder": 2}
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest", **place)
