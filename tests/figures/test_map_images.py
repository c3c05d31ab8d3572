"""Images at their places on one canvas: none over another, none outside, cut-outs tinted, all others as they are."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from stages.common.colours import class_colour
from stages.figures.map_images import (
    by_grid,
    compose_map,
    draw_map_images,
    shown_boxes,
    spread_out,
    tile_side,
    tint,
    to_pixels,
)
from stages.figures.style import NIGHT, png_bytes

NAMES = ["$x_1$ \\frac{", "_hidden", "c"]
DARK = np.rint(np.array(to_rgb(NIGHT)) * 255)


def scene(n: int, dimensions: int = 2, shape: tuple[int, int] = (28, 28)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = np.zeros((n, *shape), np.uint8)
    images[:, 3:-3, 6:-6] = rng.integers(90, 255, (n, shape[0] - 6, shape[1] - 12))
    return rng.normal(size=(n, dimensions)).astype(np.float32), images, rng.integers(0, 3, n)


def test_a_lone_image_appears_at_its_place_in_the_tint_of_its_class():
    positions = np.array([[0, 0], [10, 0], [10, 10.0]])
    images = np.zeros((3, 20, 20), np.uint8)
    images[1, 5:15, 5:15] = 255
    canvas, drawn = compose_map(positions, images, np.array([0, 1, 2]), 400, 20)
    x, y = to_pixels(positions, 400, 20)[0][1]
    assert sorted(drawn) == [0, 1, 2]
    assert (canvas[y - 5 : y + 5, x - 5 : x + 5] == np.rint(tint(class_colour(1)) * 255)).all()
    assert (canvas[y - 7 : y - 6, x - 10 : x + 10] == DARK).all()
    assert x > 380  # the rightmost place
    assert y > 380  # and the lowest: the map's second axis points up


@pytest.mark.parametrize("shape", [(28, 28), (40, 20), (21, 64)])
def test_nothing_drawn_overlaps_and_nothing_left_out_had_room(shape):
    positions, images, _ = scene(2000, shape=shape)
    tile, pixels = 24, 600
    centres, height = to_pixels(positions, pixels, tile)
    boxes = shown_boxes(images, centres, tile)
    rows, moves = spread_out(boxes, by_grid(centres, tile), tile, (height, pixels))
    times_covered = np.zeros((height, pixels), int)
    for left, top, right, bottom in boxes[rows] + np.tile(moves, 2):
        assert left >= 0
        assert top >= 0
        times_covered[top:bottom, left:right] += 1
    assert times_covered.max() == 1
    assert np.abs(moves).max() <= tile // 2
    assert 50 < len(rows) < 2000
    grown = np.pad(times_covered, ((0, 1), (0, 1)))
    grown = grown | np.roll(grown, 1, 0) | np.roll(grown, 1, 1) | np.roll(grown, (1, 1), (0, 1))
    for left, top, right, bottom in np.delete(boxes, rows, axis=0):
        assert grown[top : bottom + 1, left : right + 1].any()


@pytest.mark.parametrize("n", [1, 200, 6000])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_few_and_many_images_fill_a_canvas_of_the_asked_width(n, dimensions):
    canvas, drawn = compose_map(*scene(n, dimensions), 800, 20)
    assert canvas.shape[1] == 800
    assert canvas.dtype == np.uint8
    assert 1 <= len(drawn) <= n
    assert len(np.unique(drawn)) == len(drawn)


def photos(n: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (n, 1, 1, 3)).astype(np.uint8).repeat(side, 1).repeat(side, 2)


@pytest.mark.parametrize("side", [16, 64, 256])
def test_photographs_keep_their_colours_in_a_frame_of_their_class(side):
    positions = np.array([[0, 0], [10, 0], [10, 10.0]])
    images, labels, tile = photos(3, side), np.array([0, -1, 2]), 40
    canvas, _ = compose_map(positions, images, labels, 400, tile)
    for (x, y), image, label in zip(to_pixels(positions, 400, tile)[0], images, labels, strict=True):
        assert (np.abs(canvas[y - 15 : y + 15, x - 15 : x + 15] - image[0, 0].astype(int)) <= 1).all()
        assert (canvas[y - 20, x - 20 : x + 20] == np.rint(np.array(to_rgb(class_colour(label))) * 255)).all()


def test_unlabelled_photographs_have_no_frame_and_no_legend():
    positions, images, labels = scene(3)[0], photos(3, 40), np.full(3, -1)
    canvas, _ = compose_map(positions, images, labels, 400, 40)
    assert (canvas == np.array(to_rgb(class_colour(-1))) * 255).all(axis=2).sum() == 0
    assert not draw_map_images(positions, images, labels, [], 400).legends


@pytest.mark.parametrize("spread", [(0, 0), (1, 0), (0, 1)])
def test_points_on_one_place_or_one_line_draw(spread):
    positions, images, labels = scene(300)
    figure = draw_map_images(positions * np.array(spread), images, labels, NAMES, 400)
    png_bytes(figure)


def test_unlabelled_and_many_classes_draw():
    positions, images, labels = scene(300)
    png_bytes(draw_map_images(positions, images, labels * 0 - 1, [], 500))
    names = [f"class {k}" for k in range(200)]
    figure = draw_map_images(positions * [1, 0.1], images, np.arange(300) % 200, names, 500)
    png_bytes(figure)
    box = figure.legends[0].get_window_extent()
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_same_bytes_twice_and_the_canvas_lies_unscaled_in_the_picture():
    positions, images, labels = scene(500)
    first, second = (png_bytes(draw_map_images(positions, images, labels, NAMES, 600)) for _ in range(2))
    assert first == second
    canvas, _ = compose_map(positions, images, labels, 600, tile_side(500, 28, 600))
    picture = np.asarray(Image.open(io.BytesIO(first)).convert("RGB"))
    margin = round(0.16 * 0.6 * 200)
    assert np.array_equal(picture[-margin - canvas.shape[0] : -margin, margin : margin + 600], canvas)
