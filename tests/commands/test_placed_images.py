"""New images framed on the map, with a list beside it."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox

from commands.placed_images import MOST, NewImages, draw_placed_images
from stages.figures.style import FIT, INK, png_bytes

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (60, 12, 12), dtype=np.uint8)
NAMES = np.array(["$a_b", "_hidden"])


def new_images(m, dimensions=2):
    neighbours = GENERATOR.integers(0, 60, (m, 10))
    captions = [f"{row}.png: $a_b 90%" for row in range(m)]
    return NewImages(IMAGES[:m], GENERATOR.normal(size=(m, dimensions)), neighbours, np.arange(m) % 2 == 1, captions)


def draw(new, labels=None):
    positions = np.random.default_rng(1).normal(size=(60, new.positions.shape[1])).astype(np.float32)
    return draw_placed_images(positions, IMAGES, np.arange(60) % 2 if labels is None else labels, NAMES, new)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_new_image_is_framed_at_its_place_red_where_it_does_not_belong(dimensions):
    new = new_images(5, dimensions)
    figure = draw(new)
    *maps, _ = figure.axes
    assert len(maps) == dimensions - 1
    frames = [artist for artist in maps[0].artists if isinstance(artist, AnnotationBbox)]
    pictures, numbers = frames[-2::-2], frames[::-2]  # the first are drawn last
    assert [to_hex(frame.patch.get_edgecolor()) for frame in pictures] == [INK, FIT, INK, FIT, INK]
    assert [number.offsetbox.get_text() for number in numbers] == ["1", "2", "3", "4", "5"]
    if dimensions == 2:
        np.testing.assert_allclose([frame.xy for frame in pictures], new.positions)
    assert len(png_bytes(figure)) > 10_000


def test_each_stands_beside_its_neighbours_and_a_long_list_is_cut_with_a_word_about_it():
    figure = draw(new_images(5))
    assert len(figure.axes[-1].images) == 5 * 11
    long = draw(new_images(50), labels=np.full(60, -1))
    assert len(long.axes[-1].images) == MOST * 11
    assert f"the first {MOST} of 50" in long.texts[1].get_text()
    assert {"1", "0.png: $a_b 90%"} <= {text.get_text() for text in long.axes[-1].texts}
