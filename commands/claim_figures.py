"""Pictures of what the claims' experiments measured: mean and spread over the seeds."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from pandas import DataFrame

from stages.common.colours import CLASS_COLOURS
from stages.figures.style import FIT, INK, MUTED, TRUTH, legend_above, new_figure, paper

SIZE = (7.2, 4.4)


def draw_trend(
    runs: DataFrame,
    x: str,
    y: str,
    group: str,
    *,
    title: str,
    note: str,
    x_scale: Literal["category", "linear", "log"] = "category",
    y_scale: Literal["linear", "log"] = "linear",
    y_label: str = "",
    lines: dict[str, tuple[np.ndarray, np.ndarray]] | None = None,
    size: tuple[float, float] = SIZE,
) -> Figure:
    """The mean of `y` over the seeds at each `x`, for each `group`, with bars of one standard deviation.

    Args:
        runs: a row for each run, with columns `x`, `y`, `group`.
        lines: thin lines to compare with, by name, as x and y.
    """
    with paper():
        figure = new_figure(*size, title, note)
        axes = figure.subplots()
        places = list(dict.fromkeys(runs[x]))
        groups = list(dict.fromkeys(runs[group]))
        for rank, name in enumerate(groups):
            values = runs[runs[group] == name].groupby(x, sort=False)[y]
            at = values.mean().index
            if x_scale == "category":
                at = np.array([places.index(place) for place in at]) + 0.06 * (rank - (len(groups) - 1) / 2)
            line = "" if x_scale == "category" else "-"
            style = {"marker": "o", "markersize": 4, "linestyle": line, "linewidth": 1.6, "capsize": 2.5}
            bars = values.std().fillna(0)
            axes.errorbar(at, values.mean(), bars, color=CLASS_COLOURS[rank], label=str(name), **style)
        for name, (line_x, line_y) in (lines or {}).items():
            axes.plot(line_x, line_y, color=MUTED, linewidth=1, linestyle=(0, (5, 3)), label=name)
        if x_scale == "category":
            axes.set_xticks(range(len(places)), [str(place) for place in places])
            axes.set_xlim(-0.4, len(places) - 0.6)
        elif x_scale == "log":
            axes.set_xscale("log")
            axes.set_xticks(places, [f"{place:,}" for place in places])
            axes.xaxis.set_minor_locator(NullLocator())
        _scale_y(axes, y_scale)
        axes.set(xlabel=x, ylabel=y_label or y)
        handles, names = axes.get_legend_handles_labels()
        legend_above(axes, handles, names)
        return figure


def draw_histories(
    history: DataFrame,
    y: str,
    panel: str | None,
    group: str,
    *,
    title: str,
    note: str,
    y_label: str,
    size: tuple[float, float] = (8.6, 4.4),
) -> Figure:
    """`y` over the epochs on a logarithmic axis: a panel for each `panel`, a line for each `group` in its range.

    Args:
        history: columns epoch, seed, `y`, `panel`, `group`.
    """
    with paper():
        figure = new_figure(*size, title, note)
        panels = [("epoch", history)]
        if panel is not None:
            panels = [(f"epoch, {name}", rows) for name, rows in history.groupby(panel, sort=False)]
        groups = list(dict.fromkeys(history[group]))
        for axes, (name, rows) in zip(
            figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True
        ):
            for rank, member in enumerate(groups):
                epochs = rows[rows[group] == member].groupby("epoch")[y]
                epoch, colour = epochs.mean().index, CLASS_COLOURS[rank]
                axes.fill_between(epoch, epochs.min(), epochs.max(), color=colour, alpha=0.18, linewidth=0)
                axes.plot(epoch, epochs.mean(), color=colour, linewidth=1.6, label=str(member))
            axes.set_xlabel(name)
            _scale_y(axes, "log")
        figure.axes[0].set_ylabel(y_label)
        handles, names = axes.get_legend_handles_labels()
        if not isinstance(groups[0], str):
            names[0] += f" {group}"
        legend_above(figure.axes[0], handles, names)
        return figure


def draw_polygons(
    fits: dict[str, DataFrame],
    polygons: dict[str, DataFrame],
    *,
    title: str,
    note: str,
    size: tuple[float, float] = (8.6, 8),
) -> Figure:
    """Each fit in red on the true curve, the ends of its straight pieces marked.

    Args:
        fits: by name, columns x, truth.
        polygons: by the same names, columns x, y: where the straight pieces end.
    """
    with paper():
        figure = new_figure(*size, title, note)
        panels = figure.subplots(len(fits), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (name, fit) in zip(panels, fits.items(), strict=True):
            polygon = polygons[name]
            axes.plot(fit["x"], fit["truth"], color=TRUTH, linewidth=0.6, label="true curve")
            axes.plot(polygon["x"], polygon["y"], color=FIT, linewidth=1.6, label="fit")
            dots = {"marker": "o", "linestyle": "", "markersize": 4.5, "markerfacecolor": "white", "zorder": 3}
            inner = polygon[1:-1]
            axes.plot(inner["x"], inner["y"], markeredgecolor=INK, label="breakpoint", **dots)
            axes.set_ylabel(f"y, {name}")
            axes.margins(x=0.02)
        panels[-1].set_xlabel("x")
        legend_above(panels[0], *panels[0].get_legend_handles_labels())
        return figure


def _scale_y(axes: Axes, scale: str) -> None:
    """A logarithmic axis gets plain numbers, the more in a decade the fewer decades it spans."""
    axes.set_yscale(scale)
    if scale == "log":
        low, high = axes.get_ylim()
        steps = range(1, 10) if high < 5 * low else (1, 2, 5) if high < 1000 * low else (1,)
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
