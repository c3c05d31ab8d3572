import numpy as np
import pandas as pd
import pytest

from commands.claim_figures import draw_histories, draw_polygons, draw_trend
from stages.figures.style import png_bytes

TITLES = {"title": "A title", "note": "a note"}


def test_trends_show_the_mean_of_each_group_in_the_order_given():
    runs = pd.DataFrame({"size": [10, 10, 2, 2] * 2, "kind": ["b"] * 4 + ["a"] * 4, "error": [1, 3, 5, 7, 2, 2, 4, 4]})
    figure = draw_trend(runs, "size", "error", "kind", **TITLES)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "2"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b", "a"]
    assert [list(bars.lines[0].get_ydata()) for bars in axes.containers] == [[2, 6], [2, 4]]
    assert png_bytes(figure) == png_bytes(draw_trend(runs, "size", "error", "kind", **TITLES))


def test_trends_on_logarithmic_axes_stand_beside_a_law():
    runs = pd.DataFrame({"n": [100, 1000], "kind": "fit", "error": [10.0, 1.0]})
    law = {"1/n": (np.array([100, 1000]), np.array([10.0, 1.0]))}
    axes = draw_trend(runs, "n", "error", "kind", x_scale="log", y_scale="log", lines=law, **TITLES).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert {"1", "2", "5", "10"} <= {text.get_text() for text in axes.get_yticklabels()}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1/n", "fit"]


def test_histories_have_a_panel_for_each_label_and_the_mean_over_the_seeds():
    rows = [
        {"epoch": epoch, "seed": seed, "side": side, "depth": depth, "norm": 10.0 ** -(epoch + seed)}
        for epoch in (1, 2) for seed in (0, 2) for side in ("left", "right") for depth in (1, 2)
    ]  # fmt: skip
    figure = draw_histories(pd.DataFrame(rows), "norm", "side", "depth", y_label="norm", **TITLES)
    assert [axes.get_xlabel() for axes in figure.axes] == ["epoch, left", "epoch, right"]
    for axes in figure.axes:
        assert [list(line.get_ydata()) for line in axes.lines] == [pytest.approx([0.0505, 0.00505])] * 2


def test_polygons_mark_where_straight_pieces_meet_but_not_the_ends():
    fit = pd.DataFrame({"x": [0, 1, 2, 3], "truth": [0, 1, 1, 0]})
    polygon = pd.DataFrame({"x": [0, 1, 3], "y": [0, 2, 1]})
    axes = draw_polygons({"small": fit, "large": fit}, {"small": polygon, "large": polygon}, **TITLES).axes
    assert [a.get_ylabel() for a in axes] == ["y, small", "y, large"]
    marked = next(line for line in axes[0].lines if line.get_label() == "breakpoint")
    assert list(zip(*marked.get_data(), strict=True)) == [(1, 2)]
