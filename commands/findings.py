"""What the measurements of each claim say: a table, a picture, and a verdict that follows from the figures.

Each function takes the tables of experiments/measure.py, with the labels of the claim's grid as their first columns.
The bar that a claim must pass stands in its function, so that the page contradicts what the figures contradict.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame, Series

from commands.claim_figures import draw_histories, draw_polygons, draw_trend

DISTANCE = "distance from the true curve (RMSE)"
FEWEST_POINTS = 1000  # of the curve's 32 swings each then has some 30; with 300 points the narrow ones have too few
L1_OVER_L2 = np.sqrt(np.pi / 2)  # error of the median over that of the mean, under normal noise


@dataclass(frozen=True)
class Finding:
    """A claim's table and picture, which of its parts hold, and the figures that decide it in a sentence."""

    table: DataFrame
    figure: Figure
    parts: tuple[bool, ...]
    sentence: str

    @property
    def verdict(self) -> str:
        if all(self.parts):
            return "The measurement agrees."
        return f"The measurement {'agrees only in part' if any(self.parts) else 'contradicts the claim'}."


def depth(runs: DataFrame, *_: DataFrame) -> Finding:
    axis, ratio = "hidden layers", "test error over the line's"
    runs = runs.assign(**{ratio: runs["test_mae"] / runs["linear_baseline_mae"]})
    straight = runs[runs["activation"] == "identity"]
    off, pieces = (straight[ratio] - 1).abs().max(), straight["linear_pieces"].max()
    bent = means_of(runs, axis, "activation", ratio)["LeakyReLU"]
    figure = draw_trend(
        runs,
        *(axis, ratio, "activation"),
        title="Without an activation, depth adds nothing",
        note="mean absolute error on test points, over that of the least-squares line",
    )
    sentence = (
        f"Without activation no fit has more than {pieces} straight piece, and its error is that of the least-squares "
        f"line to within {100 * off:.1f} %, at any depth. The same layers with LeakyReLU bring the error down to "
        f"{bent.iloc[0]:.2f} of the line's at depth {bent.index[0]} and {bent.iloc[-1]:.2f} at depth {bent.index[-1]}."
    )
    parts = off < 0.01 and pieces == 1, bent.max() < 0.95
    return Finding(tabulate(runs, axis, "activation", {ratio: 4}), figure, parts, sentence)


def vanishing_gradients(runs: DataFrame, history: DataFrame, *_: DataFrame) -> Finding:
    axis, norm = "hidden layers", "first_layer_gradient_norm"
    epochs = {"gradient in the first epoch": history["epoch"].min(), "in the last": history["epoch"].max()}
    keys = ["activation", axis, "seed"]
    for name, epoch in epochs.items():
        runs = runs.merge(history.loc[history["epoch"] == epoch, [*keys, norm]].rename(columns={norm: name}), on=keys)
    first, last = (means_of(runs, axis, "activation", name) for name in epochs)
    sigmoid, leaky = (first.iloc[0] / first.iloc[-1])[["sigmoid", "LeakyReLU"]]
    late = last["sigmoid"].iloc[0] / last["sigmoid"].iloc[-1]
    figure = draw_histories(
        history,
        *(norm, "activation", axis),
        title="The gradient that reaches the first layer",
        note="norm of the loss's gradient by its weights, mean over the steps of each epoch; bands span the seeds",
        y_label="gradient norm of the first layer",
    )
    by_then = f"{late:.1f} times smaller" if late > 1 else f"{1 / late:.1f} times larger"
    sentence = (
        f"In the first epoch the gradient of the first layer is {sigmoid:,.0f} times smaller with {first.index[-1]} "
        f"hidden layers than with {first.index[0]} for sigmoid, {leaky:.1f} times for LeakyReLU. By the last epoch it "
        f"is {by_then} for sigmoid; the optimizer is Adam, whose steps do not depend on the gradient's size."
    )
    parts = sigmoid > 10 and sigmoid > 3 * leaky, late > 10
    table = tabulate(runs, axis, "activation", dict.fromkeys(epochs, 2) | {"test_mae": 3})
    return Finding(table, figure, parts, sentence)


def dead_units(runs: DataFrame, *_: DataFrame) -> Finding:
    axis, share = "learning rate", "dead units, %"
    runs = runs.assign(**{share: 100 * runs["dead_units"] / runs["hidden_units"]})
    relu = means_of(runs, axis, "activation", share)["ReLU"]
    leaky = runs.loc[runs["activation"] == "LeakyReLU", share].max()
    figure = draw_trend(
        runs,
        *(axis, share, "activation"),
        title="Units that are dead on every training point",
        note="share of all hidden units after training",
    )
    sentence = (
        f"Of the ReLU units {relu['untrained']:.1f} % are dead before any training; after it "
        + ", ".join(f"{value:.1f} % at a learning rate of {rate}" for rate, value in relu.drop("untrained").items())
        + f". With LeakyReLU it is {leaky:.1f} % in the worst run, as it must be: its slope is nowhere zero."
    )
    parts = relu.max() > 1.1 * relu["untrained"], leaky == 0
    return Finding(tabulate(runs, axis, "activation", {share: 3, "truth_rmse": 3}), figure, parts, sentence)


def losses(runs: DataFrame, *_: DataFrame) -> Finding:
    error = "truth_rmse"
    means = means_of(runs, "loss", "noise", error)
    clean, outliers = means.iloc[:, 0], means.iloc[:, 1]
    huber = (means.loc["Huber"] / means.loc[["L1", "L2"]].min()).max()
    figure = draw_trend(
        runs,
        *("noise", error, "loss"),
        title="L1, L2 and Huber, without and with outliers",
        note="an outlier has ten times the noise of the other points",
        y_label=DISTANCE,
    )
    sentence = (
        f"Under normal noise L1 ends {clean['L1'] / clean['L2']:.2f} times as far from the true curve as L2 (a median "
        f"against a mean: {L1_OVER_L2:.2f}); with outliers L2 ends {outliers['L2'] / outliers['L1']:.2f} times as far "
        f"as L1. Huber's loss ends at most {huber:.2f} times as far as the better of the two."
    )
    parts = clean["L2"] < clean["L1"], outliers["L1"] < outliers["L2"], huber < 1.1
    return Finding(tabulate(runs, "loss", "noise", {error: 3}), figure, parts, sentence)


def optimizers(runs: DataFrame, history: DataFrame, *_: DataFrame) -> Finding:
    label = "optimizer at learning rate"
    tried = runs.groupby(label, sort=False)["validation_loss"].mean()
    best = tried.groupby(tried.index.str.split(" at ").str[0], sort=False).idxmin()
    runs, history = (table[table[label].isin(best)] for table in (runs, history))
    error = runs.groupby(label, sort=False)["truth_rmse"]
    mean, standard_error = error.mean(), error.sem()
    adam = best["Adam"]
    leads = mean.drop(adam) - mean[adam]
    doubts = 2 * np.hypot(standard_error.drop(adam), standard_error[adam])
    figure = draw_histories(
        history,
        *("validation_loss", None, label),
        title="Adam and SGD, each at the learning rate that suits it best",
        note=f"the best by validation loss of {len(tried) // len(best)} rates each; bands span the seeds",
        y_label="validation loss (L1)",
        size=(7.2, 4.4),
    )
    sentence = (
        f"Of {len(tried) // len(best)} learning rates each, the one with the least validation loss ends this far from "
        f"the true curve (RMSE): {', '.join(f'{name} {value:.1f}' for name, value in mean.items())}. "
        + " ".join(
            f"Adam is {abs(lead):.1f} {'nearer' if lead > 0 else 'farther'} than {name.split(' at ')[0]}, give or take "
            f"{doubts[name]:.1f} (two standard errors)."
            for name, lead in leads.items()
        )
    )
    table = tabulate(runs, label, None, {"validation_loss": 4, "truth_rmse": 3})
    return Finding(table, figure, tuple(leads > doubts), sentence)


def linear_pieces(runs: DataFrame, _: DataFrame, fit: DataFrame, polygon: DataFrame) -> Finding:
    label = "layers × width"
    shape = runs[label].str.split(" × ", expand=True).astype(int)
    runs = runs.assign(**{"depth": shape[0], "width": shape[1]})
    means = means_of(runs, "width", "depth", "linear_pieces")
    grows = bool((np.diff(means, axis=0) > 0).all() and (np.diff(means, axis=1) > 0).all())
    fits, polygons = (dict(iter(table.groupby([label, "seed"]))) for table in (fit, polygon))
    bend = max(_distance(fits[key], polygons[key]) for key in fits)
    shown = [(name, 0) for name in runs[label].unique() if name.endswith("× 16")]
    figure = draw_polygons(
        {f"{name} units": fits[name, seed] for name, seed in shown},
        {f"{name} units": polygons[name, seed] for name, seed in shown},
        title="The fit is made of straight lines",
        note="hidden layers × their width; circles mark where the straight pieces meet",
    )
    sentence = (
        f"Between its breakpoints no fit leaves the straight line by more than {bend:.1g}, where y spans "
        f"{np.ptp(fit['truth']):,.0f}. The number of pieces goes from {means.iloc[0, 0]:.0f} to "
        f"{means.iloc[-1, -1]:.0f} and {'grows' if grows else 'does not grow'} with every step in width and in depth."
    )
    table = tabulate(runs, "width", "depth", {"linear_pieces": 3, "truth_rmse": 3})
    return Finding(table, figure, (bend < 0.01, grows), sentence)


def _distance(fit: DataFrame, polygon: DataFrame) -> float:
    """Largest distance of the fit from the polygon through its corners, between the first and the last."""
    inside = fit[fit["x"].between(polygon["x"].iloc[0], polygon["x"].iloc[-1])]
    return float((inside["fit"] - np.interp(inside["x"], polygon["x"], polygon["y"])).abs().max())


def encodings(runs: DataFrame, _: DataFrame, fit: DataFrame, *__: DataFrame) -> Finding:
    frequency, raw = "local frequency of the curve, |x| / π", "x itself"
    edges = np.linspace(0, 10, 9)
    middles = (edges[1:] + edges[:-1]) / 2
    squares = (fit["fit"] - fit["truth"]) ** 2
    fit = fit.assign(**{frequency: middles[np.digitize(fit["x"].abs(), edges[1:-1])] / np.pi, "error": squares})
    errors = fit.groupby(["input", "seed", frequency], sort=False)["error"].mean().pow(0.5).reset_index()
    errors = errors.sort_values(frequency, kind="stable")
    by_frequency = means_of(errors, frequency, "input", "error")
    slow, fast = by_frequency.iloc[0], by_frequency.iloc[-1]
    means = runs.groupby("input", sort=False)["truth_rmse"].mean()
    encoded = means.drop(raw)
    figure = draw_trend(
        errors,
        *(frequency, "error", "input"),
        title="Where the raw input fails: at high frequencies",
        note="the curve's 90 sin(x²) swings faster the farther x is from 0; a fit without it is 90/√2 = 64 off",
        x_scale="linear",
        y_scale="log",
        y_label=DISTANCE,
    )
    sentence = (
        f"With x itself the fit ends {means[raw]:.1f} from the true curve (RMSE), "
        + ", ".join(f"with {name} {value:.1f}" for name, value in encoded.items())
        + f". Where the curve is slowest, x itself is {slow[raw]:.1f} off and the best encoding "
        f"{slow.drop(raw).min():.1f}; where it is fastest, {fast[raw]:.1f} and {fast.drop(raw).min():.1f}."
    )
    parts = encoded.max() < means[raw] / 2, slow[raw] < fast[raw]
    return Finding(tabulate(runs, "input", None, {"truth_rmse": 3, "test_mae": 4}), figure, parts, sentence)


def sample_size(runs: DataFrame, *_: DataFrame) -> Finding:
    error, floor = "truth_rmse", "mae_over_floor"
    logs = runs.loc[runs["points"] >= FEWEST_POINTS, ["points", error]].astype(float).apply(np.log)
    slopes = Series([np.polyfit(rows["points"], rows[error], 1)[0] for _, rows in logs.groupby(runs["seed"])])
    means = runs.groupby("points")[[error, floor]].mean()
    sizes = means.index.to_numpy(float)
    steps = np.diff(np.log(means[error])) / np.diff(np.log(sizes))
    figure = draw_trend(
        runs.assign(kind="fit"),
        *("points", error, "kind"),
        title="The error falls with the number of points",
        note=f"slope from {FEWEST_POINTS:,} points: {mean_and_spread(slopes, 2)}".replace(" -", " −"),
        x_scale="log",
        y_scale="log",
        y_label=DISTANCE,
        lines={"1/√n": (sizes, means[error].iloc[-1] * np.sqrt(sizes[-1] / sizes))},
    )
    sentence = (
        f"From {FEWEST_POINTS:,} points on, the slope on logarithmic axes is {mean_and_spread(slopes, 2)}, where 1/√n "
        f"has −0.50. From one size to the next it is {', '.join(f'{step:.2f}' for step in steps)}: with few points the "
        f"fit misses swings of the curve. With {means.index[-1]:,} points the error on new points is "
        f"{means[floor].iloc[-1]:.3f} times the noise floor."
    ).replace(" -", " −")
    flattest = steps[sizes[1:] > FEWEST_POINTS].max()
    parts = abs(slopes.mean() + 0.5) < 0.1 and flattest < -0.25, means[floor].iloc[-1] < 1.02
    table = tabulate(runs, "points", None, {error: 3, floor: 4})
    return Finding(table, figure, parts, sentence)


def means_of(runs: DataFrame, rows: str, columns: str, value: str) -> DataFrame:
    """Means over the seeds, a row and a column for each label, in the order of the grid."""
    means = runs.groupby([rows, columns], sort=False)[value].mean().unstack(columns)
    return means.loc[runs[rows].unique(), runs[columns].unique()]


def tabulate(runs: DataFrame, rows: str, columns: str | None, values: dict[str, int]) -> DataFrame:
    """Mean ± standard deviation over the seeds as text, each value with so many digits: a row for each label of
    `rows`, a column for each value and each label of `columns`."""
    groups = [("", runs)] if columns is None else list(runs.groupby(columns, sort=False))
    labels = runs[rows].unique()
    table = {rows: [f"{label:,}" if isinstance(label, int) else str(label) for label in labels.tolist()]}
    for value, digits in values.items():
        for name, part in groups:
            head = value if columns is None else f"{value}, {_head(columns, name)}"
            table[head] = [mean_and_spread(part.loc[part[rows] == label, value], digits) for label in labels]
    return DataFrame(table)


def _head(axis: str, label: object) -> str:
    """A text label names itself; a number needs its axis."""
    return label if isinstance(label, str) else f"{axis} {label}"


def mean_and_spread(values: Series, digits: int) -> str:
    """`12.3 ± 0.4`: the mean with so many digits, the standard deviation to the same place."""
    mean, spread = values.mean(), values.std()
    if not spread > 0:
        return f"{mean:.{digits}g}"
    if 0 < abs(mean) < 1e-4:
        return f"{mean:.{digits - 1}e} ± {spread:.{digits - 1}e}"
    places = max(digits - 1 - int(np.floor(np.log10(abs(mean)))), 0) if mean else digits
    return f"{mean:,.{places}f} ± {spread:,.{places}f}"


CLAIMS = (
    depth, vanishing_gradients, dead_units, losses, optimizers, linear_pieces, encodings, sample_size
)  # fmt: skip
FINDINGS = {claim.__name__: claim for claim in CLAIMS}
