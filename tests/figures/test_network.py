"""The diagram shows the layers it was given."""

import pytest

from stages.figures.network import SHOWN, draw_network, unit_heights
from stages.figures.style import png_bytes


def texts(figure) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in [*figure.texts, *figure.axes[0].texts]]


def test_every_layer_is_named_with_its_width():
    layers = [("x", 1), ("64 Fourier frequencies", 128), ("linear + LeakyReLU(0.2)", 48), ("linear", 1)]
    shown = texts(draw_network(layers, members=5, kinds=4))
    assert {"x", "64 Fourier frequencies", "linear + LeakyReLU(0.2)", "linear", "128", "48"} <= set(shown)
    assert any(
        "1 → 128 → 48 → 1" in text and "5 such networks" in text and "first of 4 kinds" in text for text in shown
    )


def test_units_are_drawn_one_by_one_until_a_layer_is_too_wide():
    assert len(unit_heights(SHOWN)) == SHOWN
    assert len(unit_heights(1000)) == SHOWN
    assert unit_heights(1).tolist() == [0]
    for units in (2, 7, 1000):
        assert unit_heights(units).sum() == pytest.approx(0)


def test_lines_join_every_unit_to_every_unit_of_the_next_layer():
    axes = draw_network([("x", 2), ("hidden", 3), ("y", 1)]).axes[0]
    lines = [c for c in axes.collections if hasattr(c, "get_segments")]
    assert [len(collection.get_segments()) for collection in lines] == [6, 3]


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_nothing_leaves_the_picture(count):
    figure = draw_network([("linear + LeakyReLU(0.2), with a long name", 64)] * count, members=3)
    png_bytes(figure)
    for text in [*figure.texts, *figure.axes[0].texts]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def test_no_layers_is_an_error():
    with pytest.raises(ValueError, match="at least one layer"):
        draw_network([])
