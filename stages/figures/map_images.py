"""The map drawn with its images: each at its place, thinned so that none covers another."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from stages.figures.map_points import class_entries, project
from stages.figures.style import DPI, NIGHT, class_colour, legend, new_figure, paper

TINT = 0.5  # share of the class colour in an image; the rest is white
GAMMA = 0.75  # lifts dark garments off the dark background


def draw_map_images(
    positions: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    class_names: np.ndarray,
    pixels: int = 2400,
    tile: int | None = None,
) -> Figure:
    """The whole map as one picture, with a title above and the colours of the classes beside it.

    Args:
        positions: float (n, 2 | 3); images uint8 (n, h, w); labels int (n,), -1 where unknown; n at least 1.
        class_names: str (classes,).
        pixels: width of the map itself in pixels.
        tile: longer side of one image in pixels; None for a sixtieth of the width.
    """
    canvas, drawn = compose_map(positions, images, labels, pixels, tile or max(8, pixels // 60))
    handles, names = class_entries(labels, class_names)
    scale = max(pixels / 2400, 0.5)
    margin, side, top = 0.2, 2.3, 0.7
    height, width = canvas.shape[0] / DPI, canvas.shape[1] / DPI
    note = f"{len(drawn):,} of {len(positions):,} images, each at its place on the map; a dot where one had no room"
    del scale
    with paper():
        figure = new_figure(width + side + margin, height + top + margin, "The map of the images", note, NIGHT)
        figure.set_layout_engine("none")
        figure.figimage(canvas, round(margin * DPI), round(margin * DPI), origin="upper")
        corner = ((margin + width + 0.1) / figure.get_figwidth(), (margin + height) / figure.get_figheight())
        legend(figure, handles, names, loc="upper left", bbox_to_anchor=corner, labelcolor="#e3e7eb", borderpad=0)
        return figure


def compose_map(
    positions: np.ndarray, images: np.ndarray, labels: np.ndarray, pixels: int, tile: int
) -> tuple[np.ndarray, np.ndarray]:
    """The map on one canvas.

    Intensity is opacity, so the black around a garment vanishes and the garment keeps its shading in a tint of its
    class. An image that found no room is left as a dot.

    Returns:
        canvas uint8 (height, pixels, 3), and the rows of the images that were drawn, int (k,).
    """
    flat, depth = project(positions)
    centres, height = to_pixels(flat, pixels, tile)
    rows = spread_out(centres, tile, depth if positions.shape[1] == 3 else None)
    colours = np.array([to_rgb(class_colour(label)) for label in range(-1, max(int(labels.max()), 0) + 1)])[labels + 1]
    night = np.array(to_rgb(NIGHT), dtype=np.float32)
    canvas = np.tile(night, (height, pixels, 1))
    x, y = centres.T
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        canvas[y + dy, x + dx] = 0.45 * night + 0.55 * colours
    tiles = resized(images[rows], tile)
    opacity = ((tiles / 255.0) ** GAMMA)[..., None].astype(np.float32)
    ink = (TINT * colours + (1 - TINT))[rows, None, None].astype(np.float32)
    down, right = np.arange(tiles.shape[1]) - tiles.shape[1] // 2, np.arange(tiles.shape[2]) - tiles.shape[2] // 2
    at = (y[rows, None, None] + down[:, None], x[rows, None, None] + right)
    canvas[at] = opacity * ink + (1 - opacity) * canvas[at]
    return np.rint(canvas * 255).astype(np.uint8), rows


def to_pixels(flat: np.ndarray, pixels: int, tile: int) -> tuple[np.ndarray, int]:
    """Centres (n, 2) in whole pixels (x right, y down) and the canvas height, on one scale for both axes.

    A whole image fits at every centre. Maps that are nearly a line keep a canvas of at least 0.4 and at most 1.4 of
    its width in height.
    """
    low, span = flat.min(0), np.ptp(flat, axis=0)
    room = pixels - tile - 2
    scale = room / max(span[0], span[1] / 1.4, 1e-9)
    height = int(np.clip(np.ceil(span[1] * scale) + tile + 2, 0.4 * pixels, 1.4 * pixels + tile))
    centred = (flat - (low + span / 2)) * scale
    return np.rint(centred * [1, -1] + [pixels / 2, height / 2]).astype(int), height


def spread_out(centres: np.ndarray, tile: int, depth: np.ndarray | None = None) -> np.ndarray:
    """Rows of images, int (k,), whose squares of side `tile` do not overlap; greedy, and maximal.

    Those nearest to the centre of a cell of the grid come first, which packs the squares tightly; with `depth`, those
    nearest to the eye. Squares that do not overlap lie at most one to a cell, so only the eight cells around need a
    look.
    """
    cells = centres // tile
    if depth is None:
        depth = -np.abs(centres - cells * tile - tile / 2).max(1)
    places, (across, along) = centres.tolist(), cells.max(0) + 1
    cells = (cells + 1).tolist()
    grid: list[list[tuple[int, int] | None]] = [[None] * (along + 2) for _ in range(across + 2)]
    kept = []
    for row in np.argsort(-depth, kind="stable").tolist():
        (x, y), (i, j) = places[row], cells[row]
        around = (other for line in grid[i - 1 : i + 2] for other in line[j - 1 : j + 2] if other)
        if all(abs(x - a) >= tile or abs(y - b) >= tile for a, b in around):
            grid[i][j] = (x, y)
            kept.append(row)
    return np.sort(np.array(kept, dtype=int))


def resized(images: np.ndarray, tile: int) -> np.ndarray:
    """Images uint8 (k, h, w) brought to `tile` pixels on their longer side."""
    height, width = (max(1, round(side * tile / max(images.shape[1:]))) for side in images.shape[1:])
    if (height, width) == images.shape[1:]:
        return images
    return np.stack([np.asarray(Image.fromarray(image).resize((width, height), Image.LANCZOS)) for image in images])
