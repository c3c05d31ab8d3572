"""The map drawn with its images: each at its place, thinned so that none covers another."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from stages.common.colours import class_colour
from stages.figures.map_points import class_entries, project
from stages.figures.style import DPI, HEADER, NIGHT, legend, new_figure, paper

PIXELS = 2400  # width of the map itself
SMALLEST = 60  # at most so many images stand beside each other
TINT = 0.65  # share of the class colour in a cut-out; the rest is white
GAMMA = 0.75  # lifts dark garments off the dark background
HALF = round(255 * 0.5 ** (1 / GAMMA))  # the intensity of half opacity, that of a dot
FAINTEST = 24  # intensity from which a pixel counts as part of what an image shows
BLACK, PLAIN = 16, 0.6  # images are cut-outs if more than this share of their borders is darker than this
SAMPLE = 1000  # images by which that is judged


def draw_map_images(
    positions: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    pixels: int = PIXELS,
    tile: int | None = None,
) -> Figure:
    """Draw the whole map as one picture, with a title above and the colours of the classes beside it.

    Args:
        positions: float (n, 2 | 3), n at least 1.
        images: uint8 (n, h, w) grey or (n, h, w, 3) colour.
        labels: int (n,), -1 where unknown.
        class_names: str (classes,).
        pixels: width of the map itself in pixels.
        tile: longer side of one image in pixels; chosen by how many images there are if None.
    """
    tile = tile or tile_side(len(positions), max(images.shape[1:3]), pixels)
    canvas, drawn = compose_map(positions, images, labels, pixels, tile)
    handles, names = class_entries(labels, class_names) if (labels >= 0).any() else ([], [])
    if are_cut_outs(images):
        for handle in handles:
            handle.set_color(tint(handle.get_color()))
    scale = max(pixels / 1600, 0.6)
    height, width = canvas.shape[0] / DPI, canvas.shape[1] / DPI
    columns = -(-len(names) // int(height / (0.21 * scale)))
    margin, side, top = 0.16 * scale, 2.5 * scale * columns, HEADER * scale
    note = f"{len(drawn):,} of {len(positions):,} images, each at its place or half a size beside it"
    if len(drawn) < len(positions):
        note += "; a dot where there is no room"
    with paper():
        size = (width + side + margin, height + top + margin)
        figure = new_figure(*size, "The map of the images", note, NIGHT, scale)
        figure.set_layout_engine("none")
        opaque = np.dstack([canvas, np.full(canvas.shape[:2], 255, np.uint8)])  # drawn faster than RGB
        figure.figimage(opaque, round(margin * DPI), round(margin * DPI), origin="upper")
        if handles:
            corner = ((margin + width) / size[0], (margin + height) / size[1])
            look = {"labelcolor": "#e3e7eb", "fontsize": 9 * scale, "markerscale": scale, "handletextpad": 0.3}
            place = {"loc": "upper left", "bbox_to_anchor": corner, "borderpad": 0, "ncols": columns}
            legend(figure, handles, names, **place, **look)
        return figure


def tile_side(count: int, side: int, pixels: int) -> int:
    """Return the side of one image on the canvas: larger the fewer there are, at most twice its own `side`."""
    smallest = max(12, pixels // SMALLEST)
    fitting = min(int(pixels * (0.35 / count) ** 0.5), pixels // 12, 2 * side)
    return max(smallest, fitting)


def tint(colour: str) -> np.ndarray:
    """Return the colour of the brightest pixels of a class's cut-outs, RGB (3,)."""
    return TINT * np.array(to_rgb(colour)) + (1 - TINT)


def are_cut_outs(images: np.ndarray) -> bool:
    """Return whether images (n, h, w[, 3]) are grey and show things on black, so that they can be tinted."""
    if images.ndim == 4:
        return False
    some = images[:SAMPLE]
    borders = np.concatenate([some[:, 0], some[:, -1], some[:, :, 0], some[:, :, -1]], axis=1)
    return bool(np.mean(borders < BLACK) > PLAIN)


def compose_map(
    positions: np.ndarray, images: np.ndarray, labels: np.ndarray, pixels: int, tile: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the map on one canvas.

    Cut-outs are tinted: their intensity is the opacity of the class colour, so the black around them vanishes. All
    other images keep their own colours, in a thin frame of the class colour. An image without room is left as a dot.

    Returns:
        canvas uint8 (height, pixels, 3), and the rows of the images that were drawn, int (k,).
    """
    centres, height = to_pixels(project(positions)[0], pixels, tile)
    cut_out, shape = are_cut_outs(images), images.shape[1:3]
    boxes = shown_boxes(images, centres, tile) if cut_out else whole_boxes(shape, centres, tile)
    rows, moves = spread_out(boxes, by_grid(centres, tile), tile, (height, pixels))
    shades = intensity_shades(np.arange(-1, int(labels.max(initial=-1)) + 1))
    canvas = np.empty((height, pixels, 3), dtype=np.uint8)
    canvas[:] = shades[0, 0]
    x, y = centres.T
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        canvas[y + down, x + right] = shades[labels + 1, HALF]
    size = tuple(drawn_side(side, shape, tile) for side in shape[::-1])  # width, height
    corners = centres[rows] + moves - np.array(size) // 2
    thick = max(1, tile // 20) if (labels >= 0).any() else 0
    for row, (x, y), (left, top, right, bottom) in zip(rows, corners, boxes[rows] + np.tile(moves, 2), strict=True):
        picture = np.asarray(Image.fromarray(images[row]).resize(size, Image.Resampling.LANCZOS))
        if cut_out:
            shown = picture[top - y : bottom - y, left - x : right - x]
            canvas[top:bottom, left:right] = shades[labels[row] + 1].take(shown, axis=0)
            continue
        canvas[top:bottom, left:right] = picture if picture.ndim == 3 else picture[:, :, None]
        colour = np.rint(np.array(to_rgb(class_colour(labels[row]))) * 255)
        for edge in range(thick):
            canvas[[top + edge, bottom - 1 - edge], left:right] = colour
            canvas[top:bottom, [left + edge, right - 1 - edge]] = colour
    return canvas, rows


def intensity_shades(labels: np.ndarray) -> np.ndarray:
    """Return the colour of each intensity: opacity of the class's tint on the background, uint8 (classes, 256, 3)."""
    night = np.array(to_rgb(NIGHT))
    palette = np.array([tint(class_colour(label)) for label in labels])
    opacity = (np.arange(256)[:, None] / 255) ** GAMMA
    return np.rint((opacity * palette[:, None] + (1 - opacity) * night) * 255).astype(np.uint8)


def to_pixels(flat: np.ndarray, pixels: int, tile: int) -> tuple[np.ndarray, int]:
    """Return centres (n, 2) in whole pixels (x right, y down) and the canvas height, on one scale for both axes.

    A whole image fits at every centre. Maps that are nearly a line keep a canvas of at least 0.4 and at most 1.4 of
    its width in height.
    """
    low, span = flat.min(0), np.ptp(flat, axis=0)
    room = pixels - tile - 2
    scale = room / max(span[0], span[1] / 1.4, 1e-9)
    height = int(np.clip(np.ceil(span[1] * scale) + tile + 2, 0.4 * pixels, 1.4 * pixels + tile))
    centred = (flat - (low + span / 2)) * scale
    return np.rint(centred * [1, -1] + [pixels / 2, height / 2]).astype(int), height


def shown_boxes(images: np.ndarray, centres: np.ndarray, tile: int) -> np.ndarray:
    """Return the pixels (left, top, right, bottom) on the canvas that each cut-out needs, int (n, 4).

    The black around what an image shows needs no room; an image that is black throughout needs all of it.
    """
    scale = tile / max(images.shape[1:])
    corners = []
    for side, axis in ((2, 1), (1, 2)):
        lit = (images >= FAINTEST).any(axis)
        lit |= ~lit.any(1, keepdims=True)
        drawn = drawn_side(images.shape[side], images.shape[1:], tile)
        start = np.minimum(np.floor(lit.argmax(1) * scale).astype(int), drawn - 1)
        stop = np.ceil((lit.shape[1] - lit[:, ::-1].argmax(1)) * scale).astype(int)
        corner = centres[:, 2 - side] - drawn // 2
        corners.append((corner + start, corner + np.clip(stop, start + 1, drawn)))
    (left, right), (top, bottom) = corners
    return np.stack([left, top, right, bottom], 1)


def whole_boxes(shape: tuple[int, int], centres: np.ndarray, tile: int) -> np.ndarray:
    """Return the pixels (left, top, right, bottom) on the canvas of whole images of `shape`, int (n, 4)."""
    sides = np.array([drawn_side(side, shape, tile) for side in shape[::-1]])
    corners = centres - sides // 2
    return np.hstack([corners, corners + sides])


def by_grid(centres: np.ndarray, tile: int) -> np.ndarray:
    """Return the rows, those nearest to the centre of a square of the grid of side `tile` first, which packs evenly."""
    return np.argsort(np.abs(centres % tile - tile / 2).max(1), kind="stable")


def spread_out(
    boxes: np.ndarray, order: np.ndarray, tile: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the images to draw, so that none covers another.

    Each in turn takes its own place if that is free. Each of the others then takes the first free place a quarter, then
    half a tile away, and is left out if there is none.

    Args:
        boxes: int (n, 4), left, top, right, bottom.
        order: the rows in the order of their turns.
        shape: height and width of the canvas.

    Returns:
        rows int (k,), and moves int (k, 2): how far each was moved right and down, in pixels.
    """
    taken = np.zeros((shape[0] + 1, shape[1] + 1), dtype=bool)  # a pixel stays free to the right of and below each
    steps = [(a * d, b * d) for d in (tile // 4, tile // 2) for a in (0, -1, 1) for b in (0, -1, 1) if a or b]
    waiting, rows, moves = np.asarray(order), [], []
    for step in [(0, 0), *steps]:
        moved = boxes[waiting] + np.tile(step, 2)
        hopeful = np.flatnonzero((moved[:, :2] >= 0).all(1) & (moved[:, [3, 2]] <= shape).all(1))
        for x, y in ((0, 1), (0, 3), (2, 1), (2, 3)):  # a corner that is taken rules most out at once
            hopeful = hopeful[~taken[moved[hopeful, y], moved[hopeful, x]]]
        found = []
        for place, (left, top, right, bottom) in zip(hopeful.tolist(), moved[hopeful].tolist(), strict=True):
            if not taken[top : bottom + 1, left : right + 1].any():
                taken[top : bottom + 1, left : right + 1] = True
                found.append(place)
        rows += waiting[found].tolist()
        moves += [step] * len(found)
        waiting = np.delete(waiting, found)
    return np.array(rows, dtype=int), np.array(moves, dtype=int).reshape(-1, 2)


def drawn_side(side: int, shape: tuple[int, int], tile: int) -> int:
    """Return how many pixels a side of an image of this shape gets, the longer one `tile`."""
    return max(1, round(side * tile / max(shape)))
