"""New images framed on the map, and beside it each with the images whose latents are nearest to its own."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage, TextArea
from matplotlib.patches import Rectangle

from stages.common.colours import class_colour
from stages.figures.map_points import NAMED, draw_names, draw_points, project
from stages.figures.style import FIT, INK, new_figure, paper

PER_COLUMN, MOST = 10, 20  # rows of the list beside the map, and rows in all
TILE, GAP, ROW = 0.46, 0.06, 0.80  # inches: an image of the list, between two, from one row to the next
SIDE = 8.2  # inches, of the map


@dataclass(frozen=True)
class NewImages:
    """New images (m, h, w) uint8 on the map: `positions` (m, 2 | 3); `neighbours` (m, k), rows of the map's images,
    nearest first; `off_map` (m,) bool; `captions`, one line for each."""

    images: np.ndarray
    positions: np.ndarray
    neighbours: np.ndarray
    off_map: np.ndarray
    captions: list[str]


def draw_placed_images(
    positions: np.ndarray, images: np.ndarray, labels: np.ndarray, class_names: np.ndarray, new: NewImages
) -> Figure:
    """The map as points with the new images on it, numbered; one that is like nothing on the map has a red frame.

    Args:
        positions: float (n, 2 | 3), the map; images uint8 (n, h, w); labels int (n,), -1 where unknown.
        class_names: str (classes,).
        new: at least one new image.
    """
    listed = min(len(new.images), MOST)
    columns = -(-listed // PER_COLUMN)
    across = TILE + 0.3 + (TILE + GAP) * new.neighbours.shape[1]
    angles = (None,) if positions.shape[1] == 2 else (30.0, 120.0)
    width = SIDE + columns * (across + 0.3) + 0.3
    note = "framed: new images, placed on the finished map; framed in red: like nothing on the map"
    if listed < len(new.images):
        note += f"; beside it the first {listed} of {len(new.images):,} and the images with the nearest latents"
    else:
        note += "; beside it the images with the nearest latents"
    with paper():
        figure = new_figure(width, SIDE + 0.85, "New images on the map", note)
        figure.set_layout_engine("none")
        high = SIDE / (SIDE + 0.85) / len(angles)
        for number, azimuth in enumerate(angles):
            axes = figure.add_axes((0.15 / width, 0.02 + number * high, SIDE / width, high * 0.97))
            draw_map(axes, positions, labels, class_names, new, azimuth)
        axes = figure.add_axes(((SIDE + 0.3) / width, 0, 1 - (SIDE + 0.3) / width, (SIDE + 0.1) / (SIDE + 0.85)))
        axes.set_axis_off()
        axes.set(xlim=(0, width - SIDE - 0.3), ylim=(-SIDE - 0.05, 0.05))
        for row in range(listed):
            left, top = row // PER_COLUMN * (across + 0.3), -(row % PER_COLUMN) * ROW
            draw_row(axes, left, top, row, images, labels, new)
        return figure


def draw_map(
    axes: Axes,
    positions: np.ndarray,
    labels: np.ndarray,
    class_names: np.ndarray,
    new: NewImages,
    azimuth: float | None,
) -> None:
    """The map's points, seen from `azimuth` if it has three dimensions, under the framed new images."""
    xy, depth = project(positions, azimuth)
    draw_points(axes, xy, depth, labels)
    if len(np.unique(labels[labels >= 0])) <= NAMED:
        draw_names(axes, xy, labels, class_names)
    tile = float(np.clip(2.2 / len(new.images) ** 0.5, 0.18, TILE))  # inches
    places, _ = project(new.positions, azimuth)
    for row in reversed(range(len(places))):  # those of the list, which come first, lie on top
        draw_framed(axes, places[row], new, row, tile)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_framed(axes: Axes, place: np.ndarray, new: NewImages, row: int, tile: float) -> None:
    """A new image of `tile` inches at its place, in the corner its number in the list."""
    colour = FIT if new.off_map[row] else INK
    picture = OffsetImage(new.images[row], zoom=tile * 72 / max(new.images.shape[1:]), cmap="gray", clim=(0, 255))
    frame = {"edgecolor": colour, "facecolor": colour, "linewidth": 1.6}
    axes.add_artist(AnnotationBbox(picture, place, pad=0.08, bboxprops=frame, zorder=6))
    if row >= MOST:
        return
    number = TextArea(f"{row + 1}", textprops={"size": 7, "color": "white", "weight": "bold"})
    corner = {"xybox": (-tile * 36, tile * 36), "boxcoords": "offset points"}
    axes.add_artist(AnnotationBbox(number, place, pad=0.15, bboxprops=frame, zorder=6, **corner))


def draw_row(
    axes: Axes, left: float, top: float, row: int, images: np.ndarray, labels: np.ndarray, new: NewImages
) -> None:
    """One line of the list: number and caption, below them the new image and its neighbours, edged in their colours."""
    colour = FIT if new.off_map[row] else INK
    axes.text(left, top - 0.1, f"{row + 1}", size=8, weight="bold", color=colour, va="center")
    axes.text(left + 0.22, top - 0.1, new.captions[row], size=7.5, color=colour, va="center")
    draw_tile(axes, new.images[row], left, top - 0.22, colour)
    for number, neighbour in enumerate(new.neighbours[row]):
        beside = left + TILE + 0.24 + number * (TILE + GAP)
        draw_tile(axes, images[neighbour], beside, top - 0.22, class_colour(labels[neighbour]))


def draw_tile(axes: Axes, image: np.ndarray, left: float, top: float, colour: str) -> None:
    """An image hung from (left, top), on an edge of that colour."""
    height, width = (TILE * side / max(image.shape) for side in image.shape)
    edge = Rectangle((left - 0.02, top - height - 0.02), width + 0.04, height + 0.04, facecolor=colour, linewidth=0)
    axes.add_patch(edge)
    place = {"extent": (left, left + width, top - height, top), "aspect": "auto", "zorder": 2}
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest", **place)
