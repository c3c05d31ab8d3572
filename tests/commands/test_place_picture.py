"""New rows framed on the map, with a list of their neighbours beside it."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox

from commands.place_picture import MOST, draw_placed
from stages.common.samples_table import make_samples
from stages.figures.style import FIT, INK, png_bytes
from stages.latents.encode_new_rows import FinishedMap, Measures, Placed

GENERATOR = np.random.default_rng(0)
GREY = GENERATOR.integers(0, 256, (60, 12, 12), dtype=np.uint8)
COLOUR = GENERATOR.integers(0, 256, (60, 12, 12, 3), dtype=np.uint8)
NAMES = [f"folder/{row}.png" for row in range(60)]


def new_rows(m, dimensions=2, images=GREY):
    neighbours, distances = GENERATOR.integers(0, 60, (m, 10)), np.ones((m, 10))
    warnings = [["strange"] * (row % 2) for row in range(m)]
    pictures = None if images is None else images[:m]
    positions = GENERATOR.normal(size=(m, dimensions))
    return Placed(np.zeros((m, 2)), positions, neighbours, distances, Measures(distances[:, 0]), warnings, pictures)


def draw(new, labels=None, images=GREY):
    positions = np.random.default_rng(1).normal(size=(60, new.positions.shape[1])).astype(np.float32)
    labels = np.arange(60) % 2 if labels is None else labels
    samples = make_samples(np.repeat("train", 60), NAMES, labels, ["$a_b", "_hidden"])
    finished = FinishedMap(samples, np.zeros((60, 2)), positions, images, Measures(np.ones(60)))
    return draw_placed(finished, new, [f"{row}.png: $a_b 90%" for row in range(len(new.positions))])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_new_image_is_framed_at_its_place_red_where_it_does_not_belong(dimensions):
    new = new_rows(5, dimensions)
    figure = draw(new)
    frames = [artist for artist in figure.axes[0].artists if isinstance(artist, AnnotationBbox)]
    pictures, numbers = frames[-2::-2], frames[::-2]  # the first are drawn last
    assert [to_hex(frame.patch.get_edgecolor()) for frame in pictures] == [INK, FIT, INK, FIT, INK]
    assert [number.offsetbox.get_text() for number in numbers] == ["1", "2", "3", "4", "5"]
    if dimensions == 2:
        np.testing.assert_allclose([frame.xy for frame in pictures], new.positions)
    assert len(png_bytes(figure)) > 10_000


def test_each_stands_beside_its_neighbours_and_a_long_list_is_cut_with_a_note():
    figure = draw(new_rows(5, images=COLOUR), images=COLOUR)
    assert len(figure.axes[-1].images) == 5 * 11
    assert np.array_equal(figure.axes[-1].images[0].get_array(), COLOUR[0])
    long = draw(new_rows(50), labels=np.full(60, -1))
    assert len(long.axes[-1].images) == MOST * 11
    assert f"the first {MOST} of 50" in long.texts[1].get_text()
    assert {"1", "0.png: $a_b 90%"} <= {text.get_text() for text in long.axes[-1].texts}


def test_vectors_without_images_are_numbers_on_the_map_with_the_names_of_their_neighbours():
    new = new_rows(25, images=None)
    figure = draw(new, images=None)
    assert not figure.axes[-1].images
    assert figure.texts[0].get_text() == "New rows on the map"
    numbers = [artist.offsetbox.get_text() for artist in figure.axes[0].artists]
    assert numbers[::-1] == [str(k) for k in range(1, MOST + 1)], "only those of the list"
    dots = [drawn for drawn in figure.axes[0].collections if list(drawn.get_sizes()) == [14]]
    assert len(dots) == 5, "the others are dots"
    shown = "\n".join(text.get_text() for text in figure.axes[-1].texts)
    assert all(NAMES[row] in shown for row in new.neighbours[0][:5])
    png_bytes(figure)
