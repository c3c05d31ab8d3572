"""Pictures of the claims' measurements: mean and spread over the seeds, and fits beside the true curve."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from pandas import DataFrame

from experiments.measure import Fit
from stages.curve.formula import evaluate
from stages.figures.style import CLASS_COLOURS, DATA, FIT, INK, MUTED, TRUTH, legend_above, new_figure, paper
from stages.regressor.network import predict

DISTANCE = "distance from the true curve (RMSE)"


def draw_trend(
    rows: DataFrame,
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
) -> Figure:
    """Draw the mean of `y` over the seeds at each `x`, for each `group`, with bars of one standard deviation.

    Args:
        rows: columns `x`, `y`, `group`; a row for each fit.
        lines: thin lines to compare with, by name, as x and y.
    """
    with paper():
        figure = new_figure(7.2, 4.4, title, note)
        axes = figure.subplots()
        places, groups = list(dict.fromkeys(rows[x])), list(dict.fromkeys(rows[group]))
        for rank, name in enumerate(groups):
            values = rows[rows[group] == name].groupby(x, sort=False)[y]
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
        legend_above(axes, *axes.get_legend_handles_labels())
        return figure


def draw_histories(
    rows: DataFrame, y: str, panel: str, group: str, *, title: str, note: str, y_label: str,
    lines: dict[str, float] | None = None, time: str = "epoch",
) -> Figure:  # fmt: skip
    """Draw `y` over `time` on a logarithmic axis: a panel for each `panel`, a line and its range for each `group`.

    Args:
        rows: columns `time`, seed, `y`, `panel`, `group`.
        lines: thin horizontal lines, by name.
    """
    with paper():
        panels = list(rows.groupby(panel, sort=False))
        figure = new_figure(4.3 * len(panels), 4.4, title, note)
        groups = list(dict.fromkeys(rows[group]))
        for axes, (name, part) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for rank, member in enumerate(groups):
                epochs = part[part[group] == member].groupby(time)[y]
                epoch, colour = epochs.mean().index, CLASS_COLOURS[rank]
                axes.fill_between(epoch, epochs.min(), epochs.max(), color=colour, alpha=0.18, linewidth=0)
                axes.plot(epoch, epochs.mean(), color=colour, linewidth=1.6, label=str(member))
            for text, level in (lines or {}).items():
                axes.axhline(level, color=MUTED, linewidth=1, linestyle=(0, (5, 3)), label=text)
            axes.set_xlabel(f"{time}, {name}")
            if time == "step":
                axes.set_xscale("log")
                axes.xaxis.set_major_formatter("{x:,.0f}")
            _scale_y(axes, "log")
        figure.axes[0].set_ylabel(y_label)
        legend_above(figure.axes[0], *axes.get_legend_handles_labels())
        return figure


def draw_fits(
    fits: dict[str, Fit],
    formula: str,
    limits: tuple[float, float],
    *,
    title: str,
    note: str,
    corners: dict[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> Figure:
    """Draw each fit in red on the true curve: with the ends of its straight pieces, or with its points and band.

    Args:
        fits: by name.
        formula: the true curve.
        limits: the range of x to show.
        corners: by the same names, x and y of the ends of the straight pieces.
    """
    x = np.linspace(*limits, 1001)
    with paper():
        figure = new_figure(8.6, 2 + 2 * len(fits), title, note)
        panels = figure.subplots(len(fits), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (name, fit) in zip(panels, fits.items(), strict=True):
            y, lower, upper = predict(fit.network, x)
            axes.plot(x, evaluate(formula, x), color=TRUTH, linewidth=0.6, label="true curve")
            axes.plot(x, y, color=FIT, linewidth=1.6, label="fit")
            if corners:
                inner = [values[1:-1] for values in corners[name]]
                dots = {"marker": "o", "linestyle": "", "markersize": 4.5, "markerfacecolor": "white", "zorder": 3}
                axes.plot(*inner, markeredgecolor=INK, label="breakpoint", **dots)
            else:
                axes.fill_between(x, lower, upper, color=FIT, alpha=0.15, linewidth=0, label="90 % band")
                axes.scatter(fit.train["x"], fit.train["y"], s=2, color=DATA, zorder=0, label="training points")
            axes.set_ylabel(f"y, {name}")
            axes.margins(x=0.02)
        panels[-1].set_xlabel("x")
        legend_above(panels[0], *panels[0].get_legend_handles_labels())
        return figure


def _scale_y(axes: Axes, scale: str) -> None:
    """Scale the y axis; a logarithmic one gets plain numbers, the more in a decade the fewer decades it spans."""
    axes.set_yscale(scale)
    if scale == "log":
        low, high = axes.get_ylim()
        steps = range(1, 10) if high < 5 * low else (1, 2, 5) if high < 1000 * low else (1,)
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
