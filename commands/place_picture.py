"""The picture of `fitmap place`: new rows framed on the map, and beside it each with its nearest neighbours."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage, TextArea

from stages.common.colours import class_colour
from stages.common.samples_table import classes_of, labels_of
from stages.figures.map_points import draw_class_names, draw_points, project
from stages.figures.style import FIT, INK, MUTED, new_figure, paper, shorten
from stages.figures.tiles import draw_tile
from stages.latents.encode_new_rows import FinishedMap, Placed

PER_COLUMN, MOST = 10, 20  # rows of the list beside the map, and rows in all
TILE, GAP, ROW = 0.46, 0.06, 0.80  # inches: an image of the list, between two, from one row to the next
SIDE = 8.2  # inches, of the map
TEXT = 5.8  # inches, a row of the list without images
NAMED_NEIGHBOURS = 5  # names in such a row


def draw_placed(finished: FinishedMap, placed: Placed, captions: list[str]) -> Figure:
    """Draw the map as points with the new rows on it, numbered; a row that is like nothing on the map has a red frame.

    Beside it stand the first new rows, each under its caption with the images of its neighbours, or their names.
    """
    count, has_images = len(captions), finished.images is not None and placed.images is not None
    listed, things = min(count, MOST), "images" if has_images else "rows"
    across = TILE + 0.3 + (TILE + GAP) * placed.neighbours.shape[1] if has_images else TEXT
    width = SIDE + -(-listed // PER_COLUMN) * (across + 0.3) + 0.3
    which = f"the first {listed} of {count:,}" if listed < count else "each"
    note = f"framed: new {things}, placed on the finished map; red: like nothing on the map; "
    note += f"beside it {which} with the {things} of the nearest latents"
    with paper():
        figure = new_figure(width, SIDE + 0.85, f"New {things} on the map", note)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.15 / width, 0.02, SIDE / width, 0.97 * SIDE / (SIDE + 0.85)))
        draw_map(axes, finished, placed, has_images)
        axes = figure.add_axes(((SIDE + 0.3) / width, 0, 1 - (SIDE + 0.3) / width, (SIDE + 0.1) / (SIDE + 0.85)))
        axes.set_axis_off()
        axes.set(xlim=(-0.04, width - SIDE - 0.34), ylim=(-SIDE - 0.05, 0.05), autoscale_on=False)
        for row in range(listed):
            left, top = row // PER_COLUMN * (across + 0.3), -(row % PER_COLUMN) * ROW
            colour = FIT if placed.warnings[row] else INK
            axes.text(left, top - 0.1, f"{row + 1}", size=8, weight="bold", color=colour, va="center")
            axes.text(left + 0.22, top - 0.1, captions[row], size=7.5, color=colour, va="center")
            draw_neighbours = draw_images if has_images else draw_names
            draw_neighbours(axes, left, top, row, finished, placed)
        return figure


def draw_map(axes: Axes, finished: FinishedMap, placed: Placed, has_images: bool) -> None:
    """Draw the map's points under the framed new rows."""
    (xy, depth), (places, _) = project(finished.positions), project(placed.positions)
    draw_points(axes, xy, depth, labels_of(finished.samples))
    axes.update_datalim(places)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    draw_class_names(axes, xy, labels_of(finished.samples), classes_of(finished.samples))
    tile = float(np.clip(2.2 / len(places) ** 0.5, 0.18, TILE))  # inches
    for row in reversed(range(len(places))):  # those of the list, which come first, lie on top
        image = placed.images[row] if has_images else None
        draw_framed(axes, places[row], row, image, FIT if placed.warnings[row] else INK, tile)


def draw_framed(axes: Axes, place: np.ndarray, row: int, image: np.ndarray | None, colour: str, tile: float) -> None:
    """Draw a new row at its place: its image, `tile` inches long, with its number if it is in the list; without
    images the number, or a dot."""
    frame, corner = {"edgecolor": colour, "facecolor": colour, "linewidth": 1.6}, {}
    number = TextArea(f"{row + 1}", textprops={"size": 7, "color": "white", "weight": "bold"})
    if image is not None:
        picture = OffsetImage(image, zoom=tile * 72 / max(image.shape[:2]), cmap="gray", clim=(0, 255))
        axes.add_artist(AnnotationBbox(picture, place, pad=0.08, bboxprops=frame, zorder=6))
        corner = {"xybox": (-tile * 36, tile * 36), "boxcoords": "offset points"}
    elif row >= MOST:
        axes.scatter(*place, s=14, color=colour, edgecolor="white", linewidth=0.5, zorder=5)
    if row < MOST:
        axes.add_artist(AnnotationBbox(number, place, pad=0.15, bboxprops=frame, zorder=6, **corner))


def draw_names(axes: Axes, left: float, top: float, row: int, finished: FinishedMap, placed: Placed) -> None:
    """Write the names of a row's nearest neighbours below its caption, two to a line."""
    names = finished.samples["file_name"].iloc[placed.neighbours[row, :NAMED_NEIGHBOURS]]
    shown = [shorten(name, 34) for name in names]
    lines = ["   ·   ".join(shown[start : start + 2]) for start in range(0, len(shown), 2)]
    axes.text(left + 0.22, top - 0.22, "\n".join(lines), size=7, color=MUTED, va="top", linespacing=1.35)


def draw_images(axes: Axes, left: float, top: float, row: int, finished: FinishedMap, placed: Placed) -> None:
    """Draw a new image below its caption, and beside it its neighbours, edged in the colours of their classes."""
    labels = labels_of(finished.samples)
    draw_tile(axes, placed.images[row], left, top - 0.22, TILE, FIT if placed.warnings[row] else INK)
    for number, neighbour in enumerate(placed.neighbours[row]):
        beside = left + TILE + 0.24 + number * (TILE + GAP)
        draw_tile(axes, finished.images[neighbour], beside, top - 0.22, TILE, class_colour(labels[neighbour]))
