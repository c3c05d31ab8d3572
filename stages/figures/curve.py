"""The curve: its data, what was fitted to them, and what the fit leaves over."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from pandas import DataFrame

from stages.figures.style import DATA, FIT, MUTED, TRUTH, legend_above, new_figure, paper, shorten

DOT = Line2D([], [], color=DATA, marker="o", linestyle="", markersize=4)
TRUTH_LINE = Line2D([], [], color=TRUTH, linewidth=0.9)


def draw_curve_data(curve: DataFrame, formula: str = "", size: tuple[float, float] = (9, 5)) -> Figure:
    """The training points in grey, and through them the noise-free curve where it is known.

    Args:
        curve: columns split, x, y, truth; truth is the noise-free y, NaN for measured data.
        formula: of the noise-free curve, shown under the title.
        size: width and height in inches.
    """
    training = curve[curve["split"] == "train"]
    known = curve.dropna(subset=["truth"]).sort_values("x")
    counts = [f"{(curve['split'] == split).sum():,} {split}" for split in ("train", "test")]
    note = "   ·   ".join([" / ".join(counts) + " points", *([f"y = {shorten(formula, 90)}"] if formula else [])])
    with paper():
        figure = new_figure(*size, "The points that the network learns from", note)
        axes = figure.subplots()
        scatter(axes, training["x"], training["y"])
        handles, names = [DOT], [f"{len(training):,} training points"]
        if len(known):
            axes.plot(known["x"], known["truth"], color=TRUTH, linewidth=0.9)
            handles, names = [*handles, TRUTH_LINE], [*names, "true curve, without the noise"]
        axes.margins(x=0.02)
        axes.set(xlabel="x", ylabel="y")
        legend_above(axes, handles, names)
        return figure


def draw_fit(fit: DataFrame, size: tuple[float, float] = (9, 5)) -> Figure:
    """The test points in grey, the fit in red over its 90 % band, the true curve as a thin line.

    Args:
        fit: columns series ("test data", "fit", "true curve"), x, y, lower, upper, residual. The band is left out
            where lower and upper are NaN, the true curve where it has no rows.
        size: width and height in inches.
    """
    data, line, truth = (fit[fit["series"] == series].sort_values("x") for series in ("test data", "fit", "true curve"))
    note = f"mean absolute error on {len(data):,} points not trained on: {data['residual'].abs().mean():.4g}"
    with paper():
        figure = new_figure(*size, "What the network fitted to the points", note)
        axes = figure.subplots()
        scatter(axes, data["x"], data["y"])
        handles, names = [DOT, Line2D([], [], color=FIT, linewidth=2.4)], ["test points", "fit"]
        if line["lower"].notna().any():
            axes.fill_between(line["x"], line["lower"], line["upper"], color=FIT, alpha=0.16, linewidth=0)
            handles, names = [*handles, Patch(color=FIT, alpha=0.16, linewidth=0)], [*names, "90 % band"]
        axes.plot(line["x"], line["y"], color=FIT, linewidth=2.4)
        if len(truth):
            axes.plot(truth["x"], truth["y"], color=TRUTH, linewidth=0.6)
            handles, names = [*handles, TRUTH_LINE], [*names, "true curve"]
        axes.margins(x=0.02)
        axes.set(xlabel="x", ylabel="y")
        legend_above(axes, handles, names)
        return figure


def draw_residuals(fit: DataFrame, noise_floor: float | None = None, size: tuple[float, float] = (9, 4.6)) -> Figure:
    """What the fit leaves over: test residuals against x and, beside them, their histogram.

    Args:
        fit: as for `draw_fit`; its rows "test data" carry the residuals y − prediction.
        noise_floor: mean absolute noise in the units of y. Where it is known the histogram stands against the density
            of the normal distribution of that size: without outliers, all that a perfect fit would leave.
        size: width and height in inches.
    """
    data = fit[fit["series"] == "test data"]
    x, residual = data["x"].to_numpy(float), data["residual"].to_numpy(float)
    note = (
        f"{len(data):,} test points   ·   mean {residual.mean():.3g}, standard deviation {residual.std():.3g}".replace(
            "-", "−"
        )
    )
    if noise_floor is not None:
        note += f"   ·   mean absolute residual {np.abs(residual).mean():.4g}, noise alone {noise_floor:.4g}"
    with paper():
        figure = new_figure(*size, "What the fit leaves over: noise, or structure it missed", note)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        scatter(left, x, residual)
        left.axhline(0, color=MUTED, linewidth=0.8)
        centres, means = binned_means(x, residual)
        left.plot(centres, means, color=FIT, linewidth=1.8)
        left.margins(x=0.02)
        left.set(xlabel="x", ylabel="residual: y − fit")
        legend_above(
            left,
            [DOT, Line2D([], [], color=FIT, linewidth=1.8)],
            ["test residuals", "mean in each of 40 intervals of x"],
        )
        right.hist(residual, bins=41, density=True, orientation="horizontal", color=DATA, linewidth=0)
        right.set(xlabel="density")
        if noise_floor:
            noise_std = noise_floor / np.sqrt(2 / np.pi)
            reach = max(np.abs(residual).max(), 3 * noise_std)
            y = np.linspace(-reach, reach, 400)
            density = np.exp(-0.5 * (y / noise_std) ** 2) / (noise_std * np.sqrt(2 * np.pi))
            right.plot(density, y, color=TRUTH, linewidth=1)
            legend_above(right, [TRUTH_LINE], [f"normal, σ = {noise_std:g}"])
        return figure


def scatter(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Grey dots, the smaller and fainter the more there are."""
    size = float(np.clip(9000 / max(len(x), 1), 3, 18))
    axes.scatter(x, y, s=size, color=DATA, alpha=0.6, linewidth=0)


def binned_means(x: np.ndarray, y: np.ndarray, bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Centres of equal intervals of x, and the mean of y in each: a trend that noise hides. Empty ones are left out."""
    edges = np.linspace(x.min(), x.max(), bins + 1)
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, weights=y, minlength=bins)
    filled = counts > 0
    return ((edges[:-1] + edges[1:]) / 2)[filled], sums[filled] / counts[filled]
