"""Raw inputs against Fourier features

Networks learn low frequencies first (spectral bias, Rahaman et al. 2019). Sines and cosines of x let the same layers
reach the high ones.
"""

import numpy as np
from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import CURVE, FOURIER, Case, fit
from experiments.pictures import DISTANCE
from stages.curve.formula import evaluate

CASES = [
    Case({"input": "x itself"}, CURVE, FOURIER | {"encoding": "none"}),
    Case({"input": "Fourier features"}, CURVE, FOURIER),
]
SEEDS = 3
FREQUENCY = "frequency of the curve at x, |x| / π"
EDGES = np.linspace(0, 10, 9)
TREND = {
    "x": FREQUENCY,
    "y": DISTANCE,
    "group": "input",
    "title": "The raw input fails at high frequencies",
    "note": "90 sin(x²) swings faster the farther x is from 0; a fit without it is 90/√2 = 64 off",
    "x_scale": "linear",
    "y_scale": "log",
}


def measure(case: Case, seed: int) -> list[dict]:
    """Return a row for each stretch of |x|; the derivative of the phase x² is 2x, so the frequency is |x| / π."""
    fitted = fit(case, seed)
    x = np.linspace(-10, 10, 4001)
    squares = (fitted(x) - evaluate(CURVE["formula"], x)) ** 2
    stretch = np.digitize(np.abs(x), EDGES[1:-1])
    return [
        {
            FREQUENCY: round(float(EDGES[i] + EDGES[i + 1]) / 2 / np.pi, 3),
            DISTANCE: float(np.sqrt(squares[stretch == i].mean())),
            "truth_rmse": fitted.truth_rmse,
            "test_mae": fitted.test_mae,
        }
        for i in range(len(EDGES) - 1)
    ]


def judge(rows: DataFrame) -> Finding:
    whole = rows.groupby("input", sort=False)["truth_rmse"].mean()
    by_frequency = means_of(rows, FREQUENCY, "input", DISTANCE)
    slow, fast = by_frequency.iloc[0], by_frequency.iloc[-1]
    raw, encoded = whole.index
    sentence = (
        f"With {raw} the fit ends {whole[raw]:.1f} from the true curve (RMSE), with {encoded} {whole[encoded]:.1f}. "
        f"Where the curve is slowest it is {slow[raw]:.1f} against {slow[encoded]:.1f}, where it is fastest "
        f"{fast[raw]:.1f} against {fast[encoded]:.1f}."
    )
    fits = rows.drop_duplicates(["input", "seed"])
    parts = whole[encoded] < whole[raw] / 2, slow[raw] < fast[raw]
    return Finding(tabulate(fits, "input", None, {"truth_rmse": 3, "test_mae": 4}), parts, sentence)
