"""The fitted graph is made of straight lines

A network with LeakyReLU is piecewise linear in x. Wider and deeper networks have more pieces.
"""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, Fit, fit
from experiments.pictures import draw_fits
from stages.scores.pieces_and_dead_units import breakpoints

CASES = [
    Case({"hidden layers": layers, "width": width}, SHORT_CURVE, PLAIN | {"hidden_layers": [width] * layers})
    for layers in (1, 2, 3)
    for width in (4, 16, 64)
]
SEEDS = 3


def corners(fitted: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the ends of the straight pieces, those of the training range included."""
    low, high = fitted.train["x"].min(), fitted.train["x"].max()
    x = np.array([low, *breakpoints(fitted.network, low, high), high])
    return x, fitted(x)


def measure(case: Case, seed: int) -> list[dict]:
    fitted = fit(case, seed)
    x, y = corners(fitted)
    dense = np.linspace(x[0], x[-1], 5001)
    bend = np.abs(fitted(dense) - np.interp(dense, x, y)).max()
    return [{"pieces": len(x) - 1, "largest bend": float(bend), "truth_rmse": fitted.truth_rmse}]


def judge(rows: DataFrame) -> Finding:
    bend = rows["largest bend"].max()
    means = means_of(rows, "width", "hidden layers", "pieces")
    grows = bool((np.diff(means, axis=0) > 0).all() and (np.diff(means, axis=1) > 0).all())
    sentence = (
        f"Between its breakpoints no fit leaves the straight line by more than {bend:.1g}, where y spans some 190. "
        f"The number of pieces goes from {means.iloc[0, 0]:.0f} to {means.iloc[-1, -1]:.0f} and "
        f"{'grows' if grows else 'does not grow'} with every step in width and in depth."
    )
    table = tabulate(rows, "width", "hidden layers", {"pieces": 3, "truth_rmse": 3})
    return Finding(table, (bend < 0.01, grows), sentence)


def draw(rows: DataFrame) -> Figure:
    fits = {f"{case.labels['hidden layers']} × 16 units": fit(case, 0) for case in CASES if case.labels["width"] == 16}
    return draw_fits(
        fits,
        SHORT_CURVE["formula"],
        (SHORT_CURVE["x_min"], SHORT_CURVE["x_max"]),
        corners={name: corners(fitted) for name, fitted in fits.items()},
        title="The fit is made of straight lines",
        note="hidden layers × their width; circles mark where the straight pieces meet",
    )
