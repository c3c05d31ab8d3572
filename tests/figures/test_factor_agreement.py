"""The map coloured by each numeric column, and bars of how well neighbours agree in it."""

import numpy as np
import pandas as pd
import pytest

from stages.figures.factor_agreement import MOST, SPACES, draw_factors
from stages.figures.style import png_bytes

NAMES = ["tone", "heel_height", "never"]


def drawn(dimensions=2, n=200, names=NAMES):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, n)
    factors = pd.DataFrame(generator.uniform(size=(n, len(names))), columns=names)
    factors.loc[labels != 1, names[1]] = np.nan
    factors[names[2]] = np.nan
    scores = [0.5, 0.8, np.nan] + [0.1] * (len(names) - 3)
    table = pd.DataFrame({"factor": names} | dict.fromkeys(SPACES, scores))
    return generator.normal(size=(n, dimensions)).astype(np.float32), labels, factors, table


@pytest.mark.parametrize("dimensions", [2, 3])
def test_each_column_has_a_map_with_its_agreement_and_every_space_a_bar(dimensions):
    figure = draw_factors(*drawn(dimensions))
    above, below = figure.subfigs
    assert [axes.get_title("left") for axes in above.axes[:3]] == ["heel height  0.80", "tone  0.50", "never  –"]
    grey, coloured = above.axes[0].collections
    assert len(grey.get_offsets()) + len(coloured.get_offsets()) == 200
    assert [len(bars) for bars in below.axes[0].containers] == [3] * len(SPACES)
    assert below.axes[0].get_xticklabels()[0].get_text() == "heel\nheight", "best first"
    assert png_bytes(figure) == png_bytes(draw_factors(*drawn(dimensions)))


def test_spaces_without_a_score_are_left_out_and_many_columns_cut():
    positions, _, factors, table = drawn(names=[f"column {k}" for k in range(50)])
    figure = draw_factors(positions, np.full(200, -1), factors, table.assign(pca_map=np.nan))
    assert len(figure.subfigs[1].axes[0].containers) == 2
    assert f"the best {MOST} of 50 columns" in figure.texts[1].get_text()
    assert "class" not in figure.texts[1].get_text()
    png_bytes(figure)
