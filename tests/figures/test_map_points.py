"""Each row is a point in the colour of its class; names stand on their points; the legend counts all."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox
from matplotlib.patches import Polygon
from matplotlib.text import Text

from stages.common.colours import class_colour
from stages.figures.map_points import LISTED, RINGS, ROW_NAMES, class_entries, draw_map_points
from stages.figures.style import png_bytes

HOSTILE = ["$x_1$ \\frac{", "_hidden", "a very very very long class name indeed", "line\nbreak", "nobody"]


def cloud(n: int, dimensions: int = 2, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, n)
    return (rng.normal(size=(n, dimensions)) + 9 * labels[:, None]).astype(np.float32), labels


def test_every_point_is_drawn_once_in_its_colour():
    positions, labels = cloud(300, classes=13)
    figure = draw_map_points(positions, labels, [f"class {k}" for k in range(13)])
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
    _, texts = class_entries(labels, [f"class {k}" for k in range(classes)])
    assert len(texts) == lines + 1
    assert sum(int(text.rsplit("  ", 1)[1].replace(",", "")) for text in texts) == 1000
    assert "without a label  7" in texts


@pytest.mark.parametrize("dimensions", [2, 3])
def test_others_are_a_ground_beneath_the_points(dimensions):
    positions, labels = cloud(300, dimensions)
    others = np.concatenate([positions, positions]) + 0.1
    figure = draw_map_points(positions, labels, HOSTILE, others=others)
    png_bytes(figure)
    for axes in figure.axes:
        [ground] = axes.images
        assert ground.zorder < min(scatter.zorder for scatter in axes.collections)
        left, right, bottom, top = ground.get_extent()
        drawn = np.concatenate([scatter.get_offsets() for scatter in axes.collections])
        assert (np.array([left, bottom]) < drawn.min(axis=0)).all()
        assert (drawn.max(axis=0) < np.array([right, top])).all()


def boxes(figure, names):
    texts = [text for text in figure.axes[0].texts if text.get_text() in names]
    return {text.get_text(): text.get_window_extent() for text in texts}


def overlapping(first, second) -> bool:
    return first.x0 < second.x1 and second.x0 < first.x1 and first.y0 < second.y1 and second.y0 < first.y1


@pytest.mark.parametrize("spread", [9, 1, 0])
def test_class_names_stand_on_their_points_and_clear_of_each_other(spread):
    """Also where classes lie among each other, and where a class is a ring that is empty in the middle."""
    rng = np.random.default_rng(1)
    labels, names = rng.integers(0, 8, 800), [f"class {k}" for k in range(8)]
    positions = rng.normal(size=(800, 2)) + spread * rng.normal(size=(8, 2))[labels]
    angle = rng.uniform(0, 2 * np.pi, (labels == 0).sum())
    positions[labels == 0] = 12 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    figure = draw_map_points(positions.astype(np.float32), labels, names)
    found = boxes(figure, names)
    assert len(found) == 8
    for name, box in found.items():
        own = figure.axes[0].transData.transform(positions[labels == names.index(name)])
        margin = box.height
        near = (own > [box.x0 - margin, box.y0 - margin]) & (own < [box.x1 + margin, box.y1 + margin])
        assert near.all(axis=1).any(), name
        assert not any(overlapping(box, other) for key, other in found.items() if key != name)


def test_rows_without_images_are_called_rows_and_named_where_there_is_room():
    positions, labels = cloud(200)
    names = [f"word{k} x" for k in range(100)] + [f"row {k}" for k in range(100)]
    figure = draw_map_points(positions, labels, HOSTILE, positions[:3], labels[:3], names=names, things="rows")
    assert figure.texts[0].get_text() == "The map of the rows, coloured by class"
    found = boxes(figure, names)
    assert 10 < len(found) <= ROW_NAMES
    assert all(name.startswith("word") for name in found)
    every = list(boxes(figure, [*names, *HOSTILE]).values())
    assert not any(overlapping(box, other) for i, box in enumerate(every) for other in every[:i])
    assert not any("image" in text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_groups_are_outlined_and_shown_by_the_images_of_their_medoids(dimensions):
    positions, labels = cloud(200, dimensions)
    positions[labels == 3] = 0  # a group at one place has no outline
    images = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    medoids = np.array([np.flatnonzero(labels == group)[0] for group in range(4)])
    names = [f"group {group}" for group in range(4)]
    figure = draw_map_points(positions, labels, names, by="group", medoids=(medoids, images))
    assert figure.texts[0].get_text() == "The map of the images, coloured by group"
    for axes in figure.axes:
        assert len([patch for patch in axes.patches if isinstance(patch, Polygon)]) == 3
        boxes = [artist for artist in axes.get_children() if isinstance(artist, AnnotationBbox)]
        assert all(np.array_equal(box.offsetbox.get_data(), i) for box, i in zip(boxes, images, strict=True))
        assert [text.get_text() for text in axes.texts if text.get_text().isdigit()][-4:] == list("0123")


def test_placed_images_are_rings_and_the_legend_tells_how_many():
    positions, labels = cloud(200)
    placed, placed_labels = cloud(1000)
    figure = draw_map_points(positions, labels, HOSTILE, placed, placed_labels)
    rings = figure.axes[0].collections[-1].get_offsets()
    assert len(rings) == RINGS
    assert {tuple(ring) for ring in rings} <= {tuple(place) for place in placed}
    assert f"({RINGS} of 1,000 drawn)" in figure.axes[0].get_legend().get_texts()[-1].get_text()


def test_unlabelled_single_and_coinciding_points_draw():
    positions, _ = cloud(50)
    unlabelled = draw_map_points(positions, np.full(50, -1), [])
    assert unlabelled.axes[0].get_legend() is None
    assert to_hex(unlabelled.axes[0].collections[0].get_facecolors()[0]) == class_colour(0)
    png_bytes(unlabelled)
    png_bytes(draw_map_points(positions[:1], np.array([0]), HOSTILE[:1]))
    png_bytes(draw_map_points(positions * 0, np.zeros(50, int), HOSTILE[:1]))
