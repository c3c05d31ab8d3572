"""What the map knows of how the garments were drawn: each factor as a colour, and how well neighbours agree in it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.figures.map_points import project
from stages.figures.style import DATA, GRID, INK, MUTED, TRAINING, VALIDATION, legend_above, new_figure, paper

COLUMNS = 5
PANEL = 2.5  # inches, one small map
SPACES = {  # column of the table: what it is called, colour
    "latent": ("latent vectors", INK),
    "map": ("their map", TRAINING),
    "pca_map": ("map of principal components", VALIDATION),
    "pixel_map": ("map of pixels", DATA),
}


def draw_factors(positions: np.ndarray, labels: np.ndarray, factors: np.ndarray, agreement: pd.DataFrame) -> Figure:
    """The map once for each factor, coloured by it, and below them bars of how well neighbours agree.

    Args:
        positions: float (n, 2 | 3), the map.
        labels: int (n,).
        factors: float (n, f), NaN where a factor does not apply.
        agreement: f rows, with the columns factor and those of `SPACES`: 1 at best, 0 as by chance.
    """
    rows = -(-len(agreement) // COLUMNS)
    xy, _ = project(positions)
    note = (
        "colour: low to high among garments of one kind; grey: kinds without it; the number: its agreement on the map"
    )
    with paper():
        height = rows * PANEL + 3.4
        figure = new_figure(COLUMNS * PANEL, height + 0.66, "What the map knows of how garments were drawn", note)
        above, below = figure.subfigures(2, 1, height_ratios=(rows * PANEL, 3.4))
        panels = above.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, name, value, factor in zip(panels, agreement["factor"], agreement["map"], factors.T, strict=False):
            draw_factor(axes, xy, ranks_within(labels, factor))
            axes.set_title(f"{name.replace('_', ' ')}  {value:.2f}", size=9)
        for axes in panels[len(agreement) :]:
            axes.set_axis_off()
        draw_agreement(below.subplots(), agreement)
        return figure


def ranks_within(labels: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Each value's rank among those of its class, 0 the lowest to 1 the highest, (n,); NaN stays NaN."""
    ranks = pd.Series(factor).groupby(labels).rank()
    return ((ranks - 1) / (ranks.groupby(labels).transform("max") - 1).clip(lower=1)).to_numpy()


def draw_factor(axes: Axes, xy: np.ndarray, ranks: np.ndarray) -> None:
    """The map's points, coloured from dark to light by `ranks` (n,), 0 to 1; grey where there is none."""
    known = np.isfinite(ranks)
    area = float(np.clip(9000 / len(xy), 0.8, 12))
    axes.scatter(*xy[~known].T, s=area, c=GRID, linewidth=0)
    axes.scatter(*xy[known].T, s=area, c=ranks[known], cmap="viridis", vmin=0, vmax=1, linewidth=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_agreement(axes: Axes, agreement: pd.DataFrame) -> None:
    """Bars for each factor, one for each space, the factors from the best kept on the map to the least."""
    table = agreement.sort_values("map", ascending=False)
    wide = 0.8 / len(SPACES)
    for number, (space, (name, colour)) in enumerate(SPACES.items()):
        places = np.arange(len(table)) + (number - (len(SPACES) - 1) / 2) * wide
        axes.bar(places, table[space], width=wide, color=colour, label=name)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xticks(range(len(table)), [factor.replace("_", "\n") for factor in table["factor"]], size=8.5)
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="agreement of neighbours\n(1: exact, 0: chance)", ylim=(min(0, table[list(SPACES)].min().min()), 1))
    legend_above(axes, *axes.get_legend_handles_labels())
