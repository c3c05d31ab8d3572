"""The diagram shows the layers of the architecture."""

import pytest

from stages.figures.network import draw_network, layers_of
from stages.figures.style import png_bytes

ARCHITECTURE = {
    "encoding": "fourier",
    "frequencies": 64,
    "components": 128,
    "hidden_layers": [48],
    "activation": "leaky_relu",
    "negative_slope": 0.2,
    "ensemble_size": 5,
    "log_x": False,
    "x_name": "time",
    "y_name": "signal",
}


def texts(figure) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in [*figure.texts, *figure.axes[0].texts]]


def test_shows_every_layer_with_its_width_and_the_skip_connection():
    shown = texts(draw_network(ARCHITECTURE))
    assert {"time", "x, combined sines and cosines", "129", "linear + LeakyReLU(0.2)", "48", "linear: signal"} <= {
        *shown
    }
    assert any("skip connection" in text for text in shown)
    assert any("mean of 5 such networks" in text for text in shown)


def test_the_plain_network_has_neither_features_nor_skip_connection():
    plain = {**ARCHITECTURE, "encoding": "none", "components": 0, "ensemble_size": 1, "log_x": True}
    assert layers_of(plain) == [("log time", 1), ("linear + LeakyReLU(0.2)", 48), ("linear: signal", 1)]
    assert not any("skip" in text for text in texts(draw_network(plain)))


@pytest.mark.parametrize("count", [0, 2, 8])
@pytest.mark.parametrize("encoding", ["none", "fourier"])
def test_nothing_leaves_the_picture(count, encoding):
    changes = {"hidden_layers": [64] * count, "y_name": "a column with a long name", "encoding": encoding}
    changes |= {"components": 0} if encoding == "none" else {}
    figure = draw_network({**ARCHITECTURE, **changes})
    png_bytes(figure)
    for text in [*figure.texts, *figure.axes[0].texts]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
