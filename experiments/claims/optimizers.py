"""Adam against SGD

In equal epochs Adam comes nearer to the curve than SGD, each at its best learning rate.

Two networks are compared: the plain one on a short range of the curve, and the one behind Fourier features on the whole
curve. The learning rate is the one with the least validation loss at the end.
"""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.claim_verdicts import Finding, tabulate
from experiments.measure import CURVE, FOURIER, PLAIN, SHORT_CURVE, Case, fit
from experiments.pictures import draw_histories

NETWORKS = {"plain network": (SHORT_CURVE, PLAIN), "Fourier features": (CURVE, FOURIER)}
RATES = {  # the best of each lies between others
    ("plain network", "Adam"): (0.01, 0.03, 0.1),
    ("plain network", "SGD"): (0.1, 0.3, 1.0),
    ("Fourier features", "Adam"): (0.01, 0.03, 0.1),
    ("Fourier features", "SGD"): (0.003, 0.01, 0.03, 0.1),
}
CASES = [
    Case(
        {"network": network, "optimizer": name, "learning rate": rate},
        curve,
        regressor | {"optimizer": name.lower(), "learning_rate": rate},
    )
    for network, (curve, regressor) in NETWORKS.items()
    for name in ("Adam", "SGD")
    for rate in RATES[network, name]
]
SEEDS = 3
SHOWN_EPOCHS = 20


def measure(case: Case, seed: int) -> list[dict]:
    """Return a row for each of some epochs; the distance of the finished fit is the same in all of them."""
    fitted = fit(case, seed)
    history = fitted.history.iloc[:: max(len(fitted.history) // SHOWN_EPOCHS, 1)]
    last = fitted.history["validation_loss"].iloc[-1]
    return [
        {"epoch": int(row.epoch), "validation_loss": row.validation_loss, "last": last, "truth_rmse": fitted.truth_rmse}
        for row in history.itertuples()
    ]


def at_best_rates(rows: DataFrame) -> DataFrame:
    """Return the rows of the learning rate with the least validation loss, for each network and optimizer."""
    losses = rows.groupby(["network", "optimizer", "learning rate"], sort=False)["last"].mean()
    chosen = losses.groupby(["network", "optimizer"], sort=False).idxmin()
    return rows[[label in set(chosen) for label in zip(*(rows[name] for name in losses.index.names), strict=True)]]


def judge(rows: DataFrame) -> Finding:
    best = at_best_rates(rows).drop_duplicates(["network", "optimizer", "seed"])
    parts, sentences = [], []
    for network, fits in best.groupby("network", sort=False):
        errors = fits.groupby("optimizer", sort=False)["truth_rmse"]
        mean, doubt = errors.mean(), errors.sem()
        for other in mean.index.drop("Adam"):
            lead, margin = mean[other] - mean["Adam"], 2 * np.hypot(doubt[other], doubt["Adam"])
            parts.append(bool(lead > margin))
            sentences.append(
                f"{network}: Adam ends {abs(lead):.1f} {'nearer' if lead > 0 else 'farther'} than {other}, give or "
                f"take {margin:.1f} (two standard errors)."
            )
    named = best.assign(fit=[f"{row.network}, {row.optimizer} at {row[2]:g}" for row in best.itertuples(index=False)])
    table = tabulate(named, "fit", None, {"last": 3, "truth_rmse": 3})
    table = table.rename(columns={"fit": "network and optimizer", "last": "validation loss"})
    sentence = " ".join(s[0].upper() + s[1:] for s in sentences)
    return Finding(table, tuple(parts), f"Distance from the true curve (RMSE). {sentence}")


def draw(rows: DataFrame) -> Figure:
    return draw_histories(
        at_best_rates(rows),
        *("validation_loss", "network", "optimizer"),
        title="Adam and SGD, each at its best learning rate",
        note="bands span the seeds",
        y_label="validation loss (L1)",
    )
