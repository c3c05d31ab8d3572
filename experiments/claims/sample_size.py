"""More points, smaller error

Once the points show every swing of the curve, the distance from it falls as 1/√n with their number n, and the error on
new points falls to the noise floor.
"""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame, Series

from experiments.claim_verdicts import Finding, mean_and_spread, tabulate
from experiments.measure import CURVE, FOURIER, Case, fit
from experiments.pictures import DISTANCE, draw_trend
from stages.curve.points import noise_floor_mae

STEPS = 1600  # of training, about the same for each number of points
BATCH = 512
CASES = [
    Case(
        {"points": points},
        CURVE | {"samples": points},
        FOURIER | {"loss": "l2", "batch_size": BATCH, "epochs": STEPS * BATCH // max(points, 20 * BATCH)},
    )
    for points in (100, 300, 1_000, 3_000, 10_000, 30_000)
]
SEEDS = 3
FEWEST = 1_000  # of the curve's 32 swings each then has some 30 points
FLOOR = "test error / noise floor"


def measure(case: Case, seed: int) -> list[dict]:
    fitted = fit(case, seed)
    return [{"truth_rmse": fitted.truth_rmse, FLOOR: fitted.test_mae / noise_floor_mae(case.curve["noise_std"])}]


def slopes_of(rows: DataFrame) -> Series:
    """Return for each seed the slope of log distance over log points, from `FEWEST` points on."""
    logs = rows.loc[rows["points"] >= FEWEST, ["points", "truth_rmse"]].astype(float).apply(np.log)
    return Series([np.polyfit(part["points"], part["truth_rmse"], 1)[0] for _, part in logs.groupby(rows["seed"])])


def judge(rows: DataFrame) -> Finding:
    means = rows.groupby("points")[["truth_rmse", FLOOR]].mean()
    points, slopes = means.index.to_numpy(float), slopes_of(rows)
    steps = np.diff(np.log(means["truth_rmse"])) / np.diff(np.log(points))
    sentence = (
        f"From {FEWEST:,} points on, the slope on logarithmic axes is {mean_and_spread(slopes, 2)}, where 1/√n has "
        f"−0.50. From one size to the next it is {', '.join(f'{step:.2f}' for step in steps)}. With "
        f"{means.index[-1]:,} points the error on new points is {means[FLOOR].iloc[-1]:.3f} times the noise floor."
    ).replace(" -", " −")
    parts = abs(slopes.mean() + 0.5) < 0.1 and steps[points[1:] > FEWEST].max() < -0.25, means[FLOOR].iloc[-1] < 1.02
    return Finding(tabulate(rows, "points", None, {"truth_rmse": 3, FLOOR: 4}), parts, sentence)


def draw(rows: DataFrame) -> Figure:
    means = rows.groupby("points")["truth_rmse"].mean()
    points = means.index.to_numpy(float)
    return draw_trend(
        rows.assign(fit="fit"),
        *("points", "truth_rmse", "fit"),
        title="The error falls with the number of points",
        note=f"slope from {FEWEST:,} points: {mean_and_spread(slopes_of(rows), 2)}",
        x_scale="log",
        y_scale="log",
        y_label=DISTANCE,
        lines={"1/√n": (points, means.iloc[-1] * np.sqrt(points[-1] / points))},
    )
