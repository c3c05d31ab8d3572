"""A large network learns few points by heart

With few points a large network brings its training error below the noise floor, which no fit of the curve can do: it
has learned the noise. Meanwhile its error on held-out points rises again. With many points it can do neither.
"""

from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.findings import Finding, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit
from experiments.pictures import draw_histories
from stages.curve.points import noise_floor_mae

STEPS = 6000
CURVE = SHORT_CURVE | {"x_min": -2.0, "x_max": 2.0}  # shorter still, so that few points show its form
CASES = [
    Case(
        {"points": points},
        CURVE | {"samples": points},
        PLAIN | {"hidden_layers": [128, 128, 128], "epochs": STEPS // max(points // 64, 20)},
    )
    for points in (60, 3000)
]
SEEDS = 4
FLOOR = noise_floor_mae(CURVE["noise_std"])
SHOWN_EPOCHS = 40


def measure(case: Case, seed: int) -> list[dict]:
    """Return rows of some epochs, one for the training points and one for the held-out points."""
    history = fit(case, seed).history
    history["epoch"] = history["epoch"].astype(int)
    shown = history.iloc[:: max(len(history) // SHOWN_EPOCHS, 1)]
    return [
        {"epoch": row.epoch, "error": error, "on": name}
        for row in shown.itertuples()
        for name, error in (("training points", row.train_loss), ("held-out points", row.validation_loss))
    ]


def judge(rows: DataFrame) -> Finding:
    errors = rows.groupby(["points", "on", "epoch"], sort=False)["error"].mean() / FLOOR
    parts, sentences = [], []
    for points in rows["points"].unique():
        training, held_out = errors[points]["training points"], errors[points]["held-out points"]
        rise, few = held_out.iloc[-1] / held_out.min(), points == rows["points"].min()
        parts.append(training.iloc[-1] < 0.9 and rise > 1.1 if few else training.iloc[-1] > 0.9 or rise < 1.1)
        sentences.append(
            f"With {points:,} points the training error ends at {training.iloc[-1]:.2f} times the noise floor; the "
            f"error on held-out points was {held_out.min():.2f} times the floor at best and is {held_out.iloc[-1]:.2f} "
            "times at the end."
        )
    last = rows[rows["epoch"] == rows.groupby("points")["epoch"].transform("max")]
    table = tabulate(last, "points", "on", {"error": 3})
    return Finding(table, (parts[0], all(parts[1:])), " ".join(sentences))


def draw(rows: DataFrame) -> Figure:
    return draw_histories(
        rows.assign(points=[f"{points:,} points" for points in rows["points"]]),
        *("error", "points", "on"),
        title="A large network on few and on many points",
        note="mean absolute error over the epochs; bands span the seeds",
        y_label="mean absolute error",
        lines={"noise floor": FLOOR},
    )
