import numpy as np
import pandas as pd

from experiments.pictures import draw_trend
from stages.figures.style import png_bytes

TITLES = {"title": "A title", "note": "a note"}


def test_trends_show_the_mean_of_each_group_in_the_order_given():
    rows = pd.DataFrame({"width": [10, 10, 2, 2] * 2, "name": ["b"] * 4 + ["a"] * 4, "error": [1, 3, 5, 7, 2, 2, 4, 4]})
    figure = draw_trend(rows, "width", "error", "name", **TITLES)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "2"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b", "a"]
    assert [list(bars.lines[0].get_ydata()) for bars in axes.containers] == [[2, 6], [2, 4]]
    assert png_bytes(figure) == png_bytes(draw_trend(rows, "width", "error", "name", **TITLES))


def test_trends_on_logarithmic_axes_stand_beside_a_law():
    rows = pd.DataFrame({"n": [100, 1000], "name": "fit", "error": [10.0, 1.0]})
    law = {"1/n": (np.array([100, 1000]), np.array([10.0, 1.0]))}
    axes = draw_trend(rows, "n", "error", "name", x_scale="log", y_scale="log", lines=law, **TITLES).axes[0]
    assert {"1", "2", "5", "10"} <= {text.get_text() for text in axes.get_yticklabels()}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1/n", "fit"]
