"""The map coloured by each numeric column of the samples, and how well neighbours agree in it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.figures.map_points import project
from stages.figures.style import GRID, INK, MUTED, TRAINING, VALIDATION, legend_above, new_figure, paper, shorten

COLUMNS = 5
MOST = 20  # columns drawn, those that the map keeps best
PANEL = 2.5  # inches, one small map
SPACES = {  # column of the table: its name in the legend, its colour
    "latent": ("latent vectors", INK),
    "map": ("their map", TRAINING),
    "pca_map": ("map of principal components", VALIDATION),
}


def draw_factors(positions: np.ndarray, labels: np.ndarray, factors: pd.DataFrame, agreement: pd.DataFrame) -> Figure:
    """Draw the map once for each numeric column, coloured by it, and bars of how well neighbours agree in it.

    Args:
        positions: float (n, 2 | 3), the map.
        labels: int (n,), -1 where unknown.
        factors: n rows, numeric columns; NaN where one does not apply.
        agreement: columns factor (a name in `factors`) and those of `SPACES`: 1 at best, 0 as by chance, NaN unknown.
    """
    table = agreement.sort_values("map", ascending=False, kind="stable").head(MOST)
    rows = -(-len(table) // COLUMNS)
    xy, _ = project(positions)
    among = " within its class" if (labels >= 0).any() else ""
    note = f"colour: rank of the value{among}, dark is low; grey: no value; number: agreement of neighbours on the map"
    if len(table) < len(agreement):
        note += f"; the best {len(table)} of {len(agreement)} columns"
    with paper():
        height = rows * PANEL + 3.4
        figure = new_figure(COLUMNS * PANEL, height + 0.66, "The map, coloured by the numeric columns", note)
        above, below = figure.subfigures(2, 1, height_ratios=(rows * PANEL, 3.4))
        panels = above.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, (name, value) in zip(panels, zip(table["factor"], table["map"], strict=True), strict=False):
            draw_factor(axes, xy, ranks_within(labels, factors[name].to_numpy(dtype=np.float64)))
            axes.set_title(f"{shorten(in_words(name))}  " + ("–" if np.isnan(value) else f"{value:.2f}"), size=9)
        for axes in panels[len(table) :]:
            axes.set_axis_off()
        draw_agreement(below.subplots(), table)
        return figure


def in_words(name: str) -> str:
    """Return the name of a column with spaces for underscores."""
    return str(name).replace("_", " ")


def ranks_within(labels: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Return each value's rank among those of its class, 0 the lowest to 1 the highest, (n,); NaN stays NaN."""
    ranks = pd.Series(factor).groupby(labels).rank()
    return ((ranks - 1) / (ranks.groupby(labels).transform("max") - 1).clip(lower=1)).to_numpy()


def draw_factor(axes: Axes, xy: np.ndarray, ranks: np.ndarray) -> None:
    """Draw the map's points coloured by `ranks` (n,), 0 (dark) to 1 (light); grey where a rank is NaN."""
    known = np.isfinite(ranks)
    area = float(np.clip(9000 / len(xy), 0.8, 12))
    axes.scatter(*xy[~known].T, s=area, c=GRID, linewidth=0)
    axes.scatter(*xy[known].T, s=area, c=ranks[known], cmap="viridis", vmin=0, vmax=1, linewidth=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_agreement(axes: Axes, table: pd.DataFrame) -> None:
    """Draw a bar for each factor and each space that the table knows."""
    spaces = [space for space in SPACES if space in table and table[space].notna().any()]
    wide = 0.8 / max(len(spaces), 1)
    for number, space in enumerate(spaces):
        places = np.arange(len(table)) + (number - (len(spaces) - 1) / 2) * wide
        axes.bar(places, table[space], width=wide, color=SPACES[space][1], label=SPACES[space][0])
    axes.axhline(0, color=MUTED, linewidth=0.8)
    missing = max(COLUMNS - len(table), 0) / 2  # few columns: their bars stay as narrow as those of many
    axes.set_xlim(-0.6 - missing, len(table) - 0.4 + missing)
    names = [shorten(in_words(name), 24).replace(" ", "\n", 2) for name in table["factor"]]
    axes.set_xticks(range(len(table)), names, size=8.5)
    axes.grid(axis="x", visible=False)
    lowest = table[spaces].min(axis=None) if spaces else 0
    axes.set(ylabel="agreement of neighbours\n(1: exact, 0: chance)", ylim=(min(0, lowest), 1))
    legend_above(axes, *axes.get_legend_handles_labels())
