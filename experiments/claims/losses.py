"""L1 against L2 and Huber

Under normal noise the squared loss (L2) is the most precise: L1 ends 1.25 times as far from the curve, as a median does
beside a mean. With outliers the absolute loss (L1) is the most precise. Huber's loss is good at both.
"""

import numpy as np
from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import CURVE, FOURIER, Case, fit
from experiments.pictures import DISTANCE

CASES = [
    Case({"loss": name, "noise": noise}, CURVE, FOURIER | {"loss": name.lower()}, {"outliers": outliers})
    for noise, outliers in (("normal", 0.0), ("5 % outliers", 0.05))
    for name in ("L1", "L2", "Huber")
]
SEEDS = 4
L1_OVER_L2 = np.sqrt(np.pi / 2)  # error of the median over that of the mean
TREND = {
    "x": "noise",
    "y": "truth_rmse",
    "group": "loss",
    "title": "L1, L2 and Huber, without and with outliers",
    "note": "an outlier has ten times the noise of the other points",
    "y_label": DISTANCE,
}


def measure(case: Case, seed: int) -> list[dict]:
    return [{"truth_rmse": fit(case, seed).truth_rmse}]


def judge(rows: DataFrame) -> Finding:
    means = means_of(rows, "loss", "noise", "truth_rmse")
    normal, outliers = means.iloc[:, 0], means.iloc[:, 1]
    huber = (means.loc["Huber"] / means.loc[["L1", "L2"]].min()).max()
    sentence = (
        f"Under normal noise L1 ends {normal['L1'] / normal['L2']:.2f} times as far from the true curve as L2 (median "
        f"over mean: {L1_OVER_L2:.2f}); with outliers L2 ends {outliers['L2'] / outliers['L1']:.2f} times as far as "
        f"L1. Huber's loss ends at most {huber:.2f} times as far as the better of the two."
    )
    parts = normal["L2"] < normal["L1"], outliers["L1"] < outliers["L2"], huber < 1.1
    return Finding(tabulate(rows, "loss", "noise", {"truth_rmse": 3}), parts, sentence)
