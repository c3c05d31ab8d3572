"""The network as a diagram of its real layers."""

import textwrap

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from stages.common.settings import name_of_activation
from stages.figures.style import FIT, INK, MUTED, TRAINING, new_figure, paper

SHOWN = 10  # units drawn of a wider layer: five at its top, five at its bottom, an ellipsis between them
COLUMN = 1.45  # inches from one layer to the next
ARC = 0.45  # inches above the layers that the skip connection takes


def layers_of(architecture: dict) -> list[tuple[str, int]]:
    """Return the layers of the regressor's network, input first, as (name, width)."""
    a = architecture
    linear = "linear" if a["activation"] == "identity" else f"linear + {name_of_activation(a)}"
    x = f"log {a['x_name']}" if a["log_x"] else a["x_name"]
    features = [("x, combined sines and cosines", 1 + a["components"])] if a["components"] else []
    hidden = [(linear, width) for width in a["hidden_layers"]]
    return [(x, 1), *features, *hidden, (f"linear: {a['y_name']}", 1)]


def draw_network(architecture: dict) -> Figure:
    """Draw each layer as a column of units, each linear layer as lines, and the skip connection as an arrow.

    Args:
        architecture: the regressor's, as in the metadata of its weights.
    """
    layers, members, skip = layers_of(architecture), architecture["ensemble_size"], architecture["components"] > 0
    width = max(6.4, COLUMN * len(layers) + 0.9)
    columns = np.arange(len(layers)) * COLUMN
    heights = [unit_heights(units) for _, units in layers]
    reach = max(y.max() for y in heights) + 0.22
    arc = ARC if skip else 0
    note = "circle: a number   ·   line: a weight" + (
        f"   ·   the fit is the mean of {members} such networks" * (members > 1)
    )
    with paper():
        figure = new_figure(width, 2 * reach + arc + 1.72, "The network, layer by layer", note)
        axes = figure.subplots()
        axes.set_axis_off()
        for column, (left, right) in enumerate(zip(heights, heights[1:], strict=False)):
            ends = [((columns[column], a), (columns[column + 1], b)) for a in left for b in right]
            axes.add_collection(LineCollection(ends, colors=MUTED, linewidths=0.6, alpha=0.3, zorder=2))
        for column, ((name, units), y) in enumerate(zip(layers, heights, strict=True)):
            colour = TRAINING if column == 0 else FIT if column == len(layers) - 1 else INK
            look = {"s": 95, "c": "white", "edgecolor": colour, "linewidth": 1.6, "zorder": 3}
            axes.scatter(np.full(len(y), columns[column]), y, **look)
            if units > SHOWN:
                axes.scatter([columns[column]] * 3, [-0.09, 0, 0.09], s=5, color=colour, linewidth=0, zorder=4)
            place = {"ha": "center", "color": INK}
            axes.text(columns[column], reach + 0.08, f"{units:,}", va="bottom", size=10, weight="bold", **place)
            lines = textwrap.fill(name, 16, max_lines=3, placeholder="…")
            axes.text(columns[column], -reach - 0.08, lines, va="top", size=8.5, linespacing=1.3, **place)
        if skip:
            arrow = {"arrowstyle": "-|>", "color": FIT, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (columns[-1], reach + 0.32), (columns[1], reach + 0.32), arrowprops=arrow)
            told = "skip connection: a weighted sum of the features; y is a mean of both paths"
            axes.text(columns[[1, -1]].mean(), reach + 0.4, told, ha="center", size=8.5, color=INK)
        margin = max(0.85, (width - columns[-1]) / 2 - 0.2)
        axes.set(xlim=(-margin, columns[-1] + margin), ylim=(-reach - 0.62, reach + arc + 0.3), aspect="equal")
        return figure


def unit_heights(units: int) -> np.ndarray:
    """Return the heights of the drawn units of a layer, centred on 0; a wide layer leaves a gap for its ellipsis."""
    if units > SHOWN:
        half = 0.30 + 0.3 * np.arange(SHOWN // 2)
        return np.concatenate([half[::-1], -half])
    return 0.3 * ((units - 1) / 2 - np.arange(units))
