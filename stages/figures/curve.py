"""Pictures of the curve: its points, the fit and the residuals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from pandas import DataFrame

from stages.common.csv_dialects import DAYS
from stages.figures.style import DATA, FIT, MUTED, TRAINING, TRUTH, legend_above, new_figure, paper, shorten

DOT = Line2D([], [], color=DATA, marker="o", linestyle="", markersize=4)
TEST_DOT = Line2D([], [], color=TRAINING, marker="o", linestyle="", markersize=4)
TRUTH_LINE = Line2D([], [], color=TRUTH, linewidth=0.9)
FAR = 3  # points further outside the middle 98 % of y than this many times its width are left out of a picture


def draw_curve_data(curve: DataFrame, x_name: str = "x", y_name: str = "y", log_x: bool = False) -> Figure:
    """Draw the training points in grey, and through them the noise-free curve where it is known.

    Args:
        curve: columns split, x, y, truth; truth is the noise-free y, NaN for measured data.
        x_name, y_name: labels of the axes; the x of a name that ends with `DAYS` are drawn as dates.
        log_x: draw x on a logarithmic axis.
    """
    training = curve[curve["split"] == "train"]
    known = curve.dropna(subset=["truth"]).sort_values("x")
    counts = [f"{(curve['split'] == split).sum():,} {split}" for split in ("train", "test")]
    with paper():
        figure = new_figure(9, 5, "The points that the network learns from", f"{' / '.join(counts)} points")
        axes = figure.subplots()
        scatter(axes, training["x"], training["y"])
        handles, names = [DOT], [f"{len(training):,} training points"]
        if len(known):
            axes.plot(known["x"], known["truth"], color=TRUTH, linewidth=0.9)
            handles, names = [*handles, TRUTH_LINE], [*names, "true curve, without the noise"]
        name_axes(axes, x_name, y_name, log_x)
        leave_out_far(axes, training["y"])
        legend_above(axes, handles, names)
        return figure


def draw_fit(
    fit: DataFrame, curve: DataFrame | None = None, x_name: str = "x", y_name: str = "y", log_x: bool = False
) -> Figure:
    """Draw training points in grey, test points in blue, the fit in red over its band, the truth as a thin line.

    Args:
        fit: columns series ("test data", "fit", "true curve"), x, y, lower, upper, residual. The band is left out
            where lower and upper are NaN, the true curve where it has no rows.
        curve: columns split, x, y; its training points are drawn.
        x_name, y_name, log_x: as for `draw_curve_data`.
    """
    data, line, truth = (fit[fit["series"] == series].sort_values("x") for series in ("test data", "fit", "true curve"))
    note = f"mean absolute error on {len(data):,} points not trained on: {data['residual'].abs().mean():.4g}"
    handles, names, shown = [], [], [data["y"]]
    with paper():
        figure = new_figure(9, 5, "What the network fitted to the points", note)
        axes = figure.subplots()
        if curve is not None:
            training = curve[curve["split"] == "train"]
            scatter(axes, training["x"], training["y"])
            handles, names, shown = [DOT], ["training points"], [*shown, training["y"]]
        scatter(axes, data["x"], data["y"], TRAINING, 0.35)
        handles, names = [*handles, TEST_DOT, Line2D([], [], color=FIT, linewidth=2.4)], [*names, "test points", "fit"]
        if line["lower"].notna().any():
            axes.fill_between(line["x"], line["lower"], line["upper"], color=FIT, alpha=0.16, linewidth=0)
            handles, names = [*handles, Patch(color=FIT, alpha=0.16, linewidth=0)], [*names, "90 % band"]
        axes.plot(line["x"], line["y"], color=FIT, linewidth=2.4)
        if len(truth):
            axes.plot(truth["x"], truth["y"], color=TRUTH, linewidth=0.6)
            handles, names = [*handles, TRUTH_LINE], [*names, "true curve"]
        name_axes(axes, x_name, y_name, log_x)
        leave_out_far(axes, np.concatenate(shown))
        legend_above(axes, handles, names)
        return figure


def name_axes(axes: Axes, x_name: str, y_name: str, log_x: bool) -> None:
    """Label the axes, and draw x as dates or on a logarithmic axis where it is so."""
    axes.margins(x=0.02)
    if log_x:
        axes.set_xscale("log")
    if x_name.endswith(DAYS):
        axes.xaxis_date()
    axes.set(xlabel=shorten(x_name.removesuffix(DAYS), 60), ylabel=shorten(y_name, 60))


def leave_out_far(axes: Axes, y: np.ndarray) -> None:
    """Limit the axis of y if a few wild values would flatten the rest, and say how many are left out."""
    low, high = np.quantile(y, [0.01, 0.99])
    low, high = low - FAR * (high - low), high + FAR * (high - low)
    outside = int(((y < low) | (y > high)).sum())
    if outside and high > low:
        inside = y[(y >= low) & (y <= high)]
        margin = 0.05 * (inside.max() - inside.min())
        axes.set_ylim(inside.min() - margin, inside.max() + margin)
        text = f"{outside:,} points far outside are not shown"
        axes.text(0.99, 0.01, text, transform=axes.transAxes, ha="right", va="bottom", size=8.5, color=MUTED)


def draw_residuals(
    fit: DataFrame, noise_floor: float | None = None, x_name: str = "x", y_name: str = "y", log_x: bool = False
) -> Figure:
    """Draw the test residuals against x and, beside them, their histogram.

    Args:
        fit: as for `draw_fit`; its rows "test data" carry the residuals y − prediction.
        noise_floor: mean absolute noise in the units of y. Where it is known the histogram stands against the density
            of the normal distribution of that size: without outliers, all that a perfect fit would leave.
        x_name, y_name, log_x: as for `draw_curve_data`.
    """
    data = fit[fit["series"] == "test data"]
    x, residual = data["x"].to_numpy(float), data["residual"].to_numpy(float)
    mean = f"{residual.mean():.3g}".replace("-", "−")
    note = f"{len(data):,} test points   ·   mean {mean}, standard deviation {residual.std():.3g}"
    if noise_floor is not None:
        note += f"   ·   mean absolute residual {np.abs(residual).mean():.4g}, noise alone {noise_floor:.4g}"
    with paper():
        figure = new_figure(9, 4.6, "What the fit leaves over: noise, or structure it missed", note)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        scatter(left, x, residual)
        left.axhline(0, color=MUTED, linewidth=0.8)
        bins = int(np.clip(len(x) // 10, 1, 40))  # about ten points in each
        centres, means = binned_means(x, residual, bins)
        left.plot(centres, means, color=FIT, linewidth=1.8)
        name_axes(left, x_name, f"residual: {y_name} − fit", log_x)
        leave_out_far(left, residual)
        names = ["test residuals", f"mean in each of {bins} intervals of x" if bins > 1 else "mean"]
        legend_above(left, [DOT, Line2D([], [], color=FIT, linewidth=1.8)], names)
        look = {"orientation": "horizontal", "color": DATA, "linewidth": 0}
        right.hist(residual, bins=min(2 * bins + 5, 41), density=True, **look)
        right.set(xlabel="density")
        if noise_floor:
            noise_std = noise_floor / np.sqrt(2 / np.pi)
            reach = max(np.abs(residual).max(), 3 * noise_std)
            y = np.linspace(-reach, reach, 400)
            density = np.exp(-0.5 * (y / noise_std) ** 2) / (noise_std * np.sqrt(2 * np.pi))
            right.plot(density, y, color=TRUTH, linewidth=1)
            legend_above(right, [TRUTH_LINE], [f"normal, σ = {noise_std:g}"])
        return figure


def scatter(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str = DATA, alpha: float = 0.6) -> None:
    """Draw dots, the smaller the more there are."""
    size = float(np.clip(9000 / max(len(x), 1), 3, 18))
    axes.scatter(x, y, s=size, color=colour, alpha=alpha, linewidth=0)


def binned_means(x: np.ndarray, y: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of equal intervals of x and the mean of y in each, without empty intervals."""
    counts, edges = np.histogram(x, bins)
    sums, filled = np.histogram(x, bins, weights=y)[0], counts > 0
    return ((edges[:-1] + edges[1:]) / 2)[filled], sums[filled] / counts[filled]
