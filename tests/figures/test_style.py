"""Colours that stay apart for every kind of sight, text that stays text, bytes that stay the same."""

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from stages.common.colours import CLASS_COLOURS, class_colour
from stages.figures.style import class_marker, legend, new_figure, paper, png_bytes

OKLAB = (
    np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]),
    np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]),
)
SIGHT = {  # linear RGB as seen with full deficiency, Machado et al. 2009
    "normal": np.eye(3),
    "deuteranopia": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
}


def closest_pair(colours: list[str], sight: str) -> float:
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ SIGHT[sight].T
    lab = np.cbrt(np.clip(linear, 0, 1) @ OKLAB[0].T) @ OKLAB[1].T
    return np.min(np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 9 * np.eye(len(lab)))


@pytest.mark.parametrize(("sight", "apart"), [("normal", 0.17), ("deuteranopia", 0.10), ("protanopia", 0.10)])
def test_class_colours_stay_apart(sight, apart):
    assert closest_pair(list(CLASS_COLOURS), sight) > apart


def test_the_first_seventy_classes_differ_in_colour_or_marker():
    assert len({(class_colour(label), class_marker(label)) for label in range(70)}) == 70
    assert class_colour(-1) not in {class_colour(label) for label in range(30)}


def test_a_users_settings_change_nothing():
    def draw() -> bytes:
        with paper():
            figure = new_figure(3, 2, "title", "note")
            figure.subplots().plot([1, 2, 3])
        return png_bytes(figure)

    plain = draw()
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "font.size": 22, "savefig.dpi": 30}):
        assert draw() == plain


def test_png_is_twice_the_density_and_names_no_software():
    with paper():
        picture = Image.open(io.BytesIO(png_bytes(new_figure(3, 2, "title"))))
    assert picture.size == (600, 400)
    assert "Software" not in picture.info
    assert "date" not in " ".join(picture.info).lower()


def test_legend_keeps_hostile_names_as_they_are():
    names = ["_hidden", "$x_1$ \\frac{", "100 %"]
    with paper():
        figure = new_figure(4, 3, "title")
        axes = figure.subplots()
        lines = [axes.plot([0, 1])[0] for _ in names]
        drawn = legend(axes, lines, names)
    png_bytes(figure)
    assert [text.get_text() for text in drawn.get_texts()] == names
    assert not any(text.get_parse_math() for text in drawn.get_texts())
