"""The picture of `fitmap place`: new rows framed on the map, and beside it each with its nearest neighbours."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage, TextArea

from stages.common.colours import class_colour
from stages.figures.map_points import draw_class_names, draw_points, project
from stages.figures.style import FIT, INK, MUTED, new_figure, paper, shorten
from stages.figures.tiles import draw_tile

PER_COLUMN, MOST = 10, 20  # rows of the list beside the map, and rows in all
TILE, GAP, ROW = 0.46, 0.06, 0.80  # inches: an image of the list, between two, from one row to the next
SIDE = 8.2  # inches, of the map
TEXT = 5.8  # inches, a row of the list without images
NAMED_NEIGHBOURS = 5  # names in such a row


@dataclass(frozen=True)
class NewRows:
    """New rows on the map.

    positions: float (m, 2 | 3). neighbours: int (m, k), rows of the map, nearest first. off_map: bool (m,). captions: a
    line for each. images: uint8 (m, h, w[, 3]), or None for vectors without images.
    """

    positions: np.ndarray
    neighbours: np.ndarray
    off_map: np.ndarray
    captions: list[str]
    images: np.ndarray | None = None


def draw_placed(
    positions: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    names: list[str],
    new: NewRows,
    images: np.ndarray | None = None,
) -> Figure:
    """Draw the map as points with the new rows on it, numbered; a row that is like nothing on the map has a red frame.

    Args:
        positions: float (n, 2 | 3), the map.
        labels: int (n,), -1 where unknown.
        class_names: str (classes,).
        names: str (n,), what the rows of the map are called.
        new: at least one new row.
        images: uint8 (n, h, w[, 3]) of the map; as for `new`, None for vectors without images.
    """
    listed, things = min(len(new.positions), MOST), "rows" if images is None else "images"
    columns = -(-listed // PER_COLUMN)
    across = TEXT if images is None else TILE + 0.3 + (TILE + GAP) * new.neighbours.shape[1]
    angles = (None,) if positions.shape[1] == 2 else (30.0, 120.0)
    width = SIDE + columns * (across + 0.3) + 0.3
    which = f"the first {listed} of {len(new.positions):,}" if listed < len(new.positions) else "each"
    note = f"framed: new {things}, placed on the finished map; red: like nothing on the map; "
    note += f"beside it {which} with the {things} of the nearest latents"
    with paper():
        figure = new_figure(width, SIDE + 0.85, f"New {things} on the map", note)
        figure.set_layout_engine("none")
        high = SIDE / (SIDE + 0.85) / len(angles)
        for number, azimuth in enumerate(angles):
            axes = figure.add_axes((0.15 / width, 0.02 + number * high, SIDE / width, high * 0.97))
            draw_map(axes, positions, labels, class_names, new, azimuth)
        axes = figure.add_axes(((SIDE + 0.3) / width, 0, 1 - (SIDE + 0.3) / width, (SIDE + 0.1) / (SIDE + 0.85)))
        axes.set_axis_off()
        axes.set(xlim=(-0.04, width - SIDE - 0.34), ylim=(-SIDE - 0.05, 0.05))
        for row in range(listed):
            left, top = row // PER_COLUMN * (across + 0.3), -(row % PER_COLUMN) * ROW
            draw_caption(axes, left, top, row, new)
            if images is None:
                draw_names(axes, left, top, [names[neighbour] for neighbour in new.neighbours[row]])
            else:
                draw_images(axes, left, top, row, images, labels, new)
        return figure


def draw_map(
    axes: Axes,
    positions: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    new: NewRows,
    azimuth: float | None,
) -> None:
    """Draw the map's points, seen from `azimuth` if it has three dimensions, under the framed new rows."""
    xy, depth = project(positions, azimuth)
    draw_points(axes, xy, depth, labels)
    tile = float(np.clip(2.2 / len(new.positions) ** 0.5, 0.18, TILE))  # inches
    places, _ = project(new.positions, azimuth)
    axes.update_datalim(places)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    draw_class_names(axes, xy, labels, class_names)
    for row in reversed(range(len(places))):  # those of the list, which come first, lie on top
        draw_framed(axes, places[row], new, row, tile)


def draw_framed(axes: Axes, place: np.ndarray, new: NewRows, row: int, tile: float) -> None:
    """Draw a new row at its place: its image, `tile` inches long, with its number if it is in the list; without
    images the number, or a dot."""
    colour = FIT if new.off_map[row] else INK
    frame = {"edgecolor": colour, "facecolor": colour, "linewidth": 1.6}
    number = TextArea(f"{row + 1}", textprops={"size": 7, "color": "white", "weight": "bold"})
    corner = {}
    if new.images is not None:
        image = new.images[row]
        picture = OffsetImage(image, zoom=tile * 72 / max(image.shape[:2]), cmap="gray", clim=(0, 255))
        axes.add_artist(AnnotationBbox(picture, place, pad=0.08, bboxprops=frame, zorder=6))
        corner = {"xybox": (-tile * 36, tile * 36), "boxcoords": "offset points"}
    elif row >= MOST:
        axes.scatter(*place, s=14, color=colour, edgecolor="white", linewidth=0.5, zorder=5)
    if row < MOST:
        axes.add_artist(AnnotationBbox(number, place, pad=0.15, bboxprops=frame, zorder=6, **corner))


def draw_caption(axes: Axes, left: float, top: float, row: int, new: NewRows) -> None:
    """Write the number and caption of a row of the list."""
    colour = FIT if new.off_map[row] else INK
    axes.text(left, top - 0.1, f"{row + 1}", size=8, weight="bold", color=colour, va="center")
    axes.text(left + 0.22, top - 0.1, new.captions[row], size=7.5, color=colour, va="center")


def draw_names(axes: Axes, left: float, top: float, names: list[str]) -> None:
    """Write the names of a row's nearest neighbours below its caption, two to a line."""
    shown = [shorten(name, 34) for name in names[:NAMED_NEIGHBOURS]]
    lines = ["   ·   ".join(shown[start : start + 2]) for start in range(0, len(shown), 2)]
    axes.text(left + 0.22, top - 0.22, "\n".join(lines), size=7, color=MUTED, va="top", linespacing=1.35)


def draw_images(
    axes: Axes, left: float, top: float, row: int, images: np.ndarray, labels: np.ndarray, new: NewRows
) -> None:
    """Draw a new image below its caption, and beside it its neighbours, edged in the colours of their classes."""
    draw_tile(axes, new.images[row], left, top - 0.22, TILE, FIT if new.off_map[row] else INK)
    for number, neighbour in enumerate(new.neighbours[row]):
        beside = left + TILE + 0.24 + number * (TILE + GAP)
        draw_tile(axes, images[neighbour], beside, top - 0.22, TILE, class_colour(labels[neighbour]))
