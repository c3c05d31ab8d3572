"""Every image a point in its class's colour; the legend hides nothing and stays bounded."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from stages.common.colours import class_colour
from stages.figures.map_points import LISTED, RINGS, class_entries, draw_map_points, project
from stages.figures.style import png_bytes

HOSTILE = np.array(["$x_1$ \\frac{", "_hidden", "a very very very long class name indeed", "line\nbreak", "nobody"])


def cloud(n: int, dimensions: int = 2, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, n)
    return (rng.normal(size=(n, dimensions)) + 9 * labels[:, None]).astype(np.float32), labels


def test_every_point_is_drawn_once_in_its_colour():
    positions, labels = cloud(300, classes=13)
    figure = draw_map_points(positions, labels, np.array([f"class {k}" for k in range(13)]))
    drawn = {}
    for scatter in figure.axes[0].collections:
        for place, colour in zip(scatter.get_offsets(), scatter.get_facecolors(), strict=True):
            drawn[tuple(np.float32(place))] = to_hex(colour)
    assert len(drawn) == 300
    assert all(drawn[tuple(p)] == class_colour(k) for p, k in zip(positions, labels, strict=True))


def test_hostile_names_are_shown_as_text_and_empty_classes_too():
    positions, labels = cloud(60)
    figure = draw_map_points(positions, labels, HOSTILE)
    png_bytes(figure)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown[0].startswith("$x_1$ \\frac{  ")
    assert shown[1].startswith("_hidden  ")
    assert shown[4] == "nobody  0"
    assert {"_hidden", "line break"} <= {text.get_text() for text in figure.axes[0].texts}


@pytest.mark.parametrize(("classes", "lines"), [(1, 1), (25, 25), (200, LISTED + 1)])
def test_legend_counts_every_image(classes, lines):
    labels = np.random.default_rng(0).integers(0, classes, 1000)
    labels[:7] = -1
    _, texts = class_entries(labels, np.array([f"class {k}" for k in range(classes)]))
    assert len(texts) == lines + 1
    assert sum(int(text.rsplit("  ", 1)[1].replace(",", "")) for text in texts) == 1000
    assert "without a label  7" in texts


@pytest.mark.parametrize("dimensions", [2, 3])
def test_others_are_a_ground_beneath_the_points(dimensions):
    positions, labels = cloud(300, dimensions)
    figure = draw_map_points(positions, labels, HOSTILE, others=positions + 0.1)
    png_bytes(figure)
    for axes in figure.axes:
        [ground] = axes.images
        assert ground.zorder < min(scatter.zorder for scatter in axes.collections)
        left, right, bottom, top = ground.get_extent()
        drawn = np.concatenate([scatter.get_offsets() for scatter in axes.collections])
        assert (np.array([left, bottom]) < drawn.min(axis=0)).all()
        assert (drawn.max(axis=0) < np.array([right, top])).all()


def test_placed_images_are_rings_and_the_legend_tells_how_many():
    positions, labels = cloud(200)
    placed, placed_labels = cloud(1000)
    figure = draw_map_points(positions, labels, HOSTILE, placed, placed_labels)
    rings = figure.axes[0].collections[-1].get_offsets()
    assert len(rings) == RINGS
    assert {tuple(ring) for ring in rings} <= {tuple(place) for place in placed}
    assert f"({RINGS} of 1,000 drawn)" in figure.axes[0].get_legend().get_texts()[-1].get_text()


def test_three_dimensions_are_seen_from_two_angles():
    positions, labels = cloud(100, dimensions=3)
    figure = draw_map_points(positions, labels, HOSTILE)
    first, second = (axes.collections[0].get_offsets() for axes in figure.axes)
    assert not np.allclose(np.sort(first, axis=0), np.sort(second, axis=0))
    png_bytes(figure)


def test_projection_keeps_lengths_across_paper_and_depth():
    positions, _ = cloud(50, dimensions=3)
    flat, depth = project(positions, 70.0)
    assert np.allclose((flat**2).sum(1) + depth**2, (positions**2).sum(1), rtol=1e-4)
    assert np.array_equal(project(positions[:, :2])[0], positions[:, :2])


def test_unlabelled_single_and_coinciding_points_draw():
    nameless = np.array([], "<U1")
    positions, _ = cloud(50)
    png_bytes(draw_map_points(positions, np.full(50, -1), nameless))
    png_bytes(draw_map_points(positions[:1], np.array([0]), HOSTILE[:1]))
    png_bytes(draw_map_points(positions * 0, np.zeros(50, int), HOSTILE[:1]))


def test_same_bytes_twice():
    positions, labels = cloud(500)
    pictures = [png_bytes(draw_map_points(positions, labels, HOSTILE, positions[:9], labels[:9])) for _ in range(2)]
    assert pictures[0] == pictures[1]
