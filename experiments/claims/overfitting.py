"""A large network learns few points by heart

With few points a large network brings its training error below the noise floor, which no fit of the curve can do: it
has learned the noise. Meanwhile its error on new points stays above the floor, and rises again. With many points it
does neither.
"""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.claim_verdicts import Finding, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit, points_of
from experiments.pictures import draw_histories
from stages.curve.points import noise_floor_mae
from stages.regressor.network import predict

STEPS = 6000
CURVE = SHORT_CURVE | {"x_min": -2.0, "x_max": 2.0}  # shorter still, so that few points show its form
CASES = [
    Case(
        {"points": points},
        CURVE | {"samples": points},
        PLAIN | {"hidden_layers": [128, 128, 128], "epochs": STEPS // batches},
    )
    for points, batches in ((60, 15), (3000, 38))  # of an epoch
]
SEEDS = 4
FLOOR = noise_floor_mae(CURVE["noise_std"])
SHOWN = 40


def measure(case: Case, seed: int) -> list[dict]:
    """Return rows of some moments, one for the training points (mean since the last) and one for new points."""
    _, new = points_of(case, seed)
    moments = set(np.geomspace(1, STEPS - 100, SHOWN, dtype=int))
    rows, recent = [], []

    def on_step(step, _, network, losses):
        recent.append(losses.mean().item())
        if step in moments:
            error = np.abs(predict(network, new["x"])[0] - new["y"]).mean()
            rows.append({"step": step, "error": float(np.mean(recent)), "on": "training points"})
            rows.append({"step": step, "error": float(error), "on": "new points"})
            recent.clear()

    fit(case, seed, on_step=on_step)
    return rows


def judge(rows: DataFrame) -> Finding:
    errors = rows.groupby(["points", "on", "step"], sort=False)["error"].mean() / FLOOR
    parts, sentences = [], []
    for points in rows["points"].unique():
        training, new = errors[points]["training points"], errors[points]["new points"]
        learned, missed, rises = training.iloc[-1] < 0.9, new.iloc[-1] > 1.1, new.iloc[-1] / new.min() > 1.1
        few = points == rows["points"].min()
        parts += [learned and missed, rises] if few else [not (learned or missed or rises)]
        sentences.append(
            f"With {points:,} points the training error ends at {training.iloc[-1]:.2f} times the noise floor; the "
            f"error on new points was {new.min():.2f} times the floor at best and is {new.iloc[-1]:.2f} "
            "times at the end."
        )
    last = rows[rows["step"] == rows.groupby("points")["step"].transform("max")]
    table = tabulate(last, "points", "on", {"error": 3})
    return Finding(table, tuple(parts), " ".join(sentences))


def draw(rows: DataFrame) -> Figure:
    return draw_histories(
        rows.assign(points=[f"{points:,} points" for points in rows["points"]]),
        *("error", "points", "on"),
        title="A large network on few and on many points",
        note="mean absolute error over the steps of training; bands span the seeds",
        y_label="mean absolute error",
        lines={"noise floor": FLOOR},
        time="step",
    )
