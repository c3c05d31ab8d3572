"""Outside the training range the fit is a guess

Beyond the last training point the fit soon is a straight line, whatever the curve does, and the 90 % band no longer
holds 90 % of the points.
"""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.claim_verdicts import Finding, means_of, tabulate
from experiments.measure import FOURIER, PLAIN, SHORT_CURVE, Case, Fit, fit
from experiments.pictures import draw_fits
from stages.curve.formula import evaluate
from stages.regressor.network import predict

CASES = [
    Case({"network": "plain"}, SHORT_CURVE, PLAIN),
    Case({"network": "Fourier features"}, SHORT_CURVE, FOURIER),
]
SEEDS = 3
INSIDE, OUTSIDE = 3, 5  # |x|: the training range ends at 3
REGIONS = {"inside": 0, "outside": INSIDE}


def truth(x: np.ndarray) -> np.ndarray:
    return evaluate(SHORT_CURVE["formula"], x)


def bend(fitted: Fit) -> float:
    """Return how far the fit leaves a straight line between one unit outside the range and two, on the worse side."""
    sides = np.linspace(INSIDE + 1, OUTSIDE, 501), np.linspace(-OUTSIDE, -INSIDE - 1, 501)
    return max(float(np.abs(fitted(x) - np.interp(x, x[[0, -1]], fitted(x[[0, -1]]))).max()) for x in sides)


def measure(case: Case, seed: int) -> list[dict]:
    fitted, generator, rows = fit(case, seed), np.random.default_rng(seed), []
    for region, low in REGIONS.items():
        x = generator.uniform(low, low + OUTSIDE - INSIDE if low else INSIDE, 5000) * generator.choice([-1, 1], 5000)
        points = truth(x) + generator.normal(0, case.curve["noise_std"], 5000)
        y, lower, upper = predict(fitted.network, x)
        coverage = 100 * np.mean((lower <= points) & (points <= upper))
        rmse = np.sqrt(np.mean((y - truth(x)) ** 2))
        rows.append({"region": region, "truth_rmse": float(rmse), "points in the band, %": float(coverage)})
    return [row | {"bend outside": bend(fitted)} for row in rows]


def judge(rows: DataFrame) -> Finding:
    rmse, coverage = (means_of(rows, "network", "region", name) for name in ("truth_rmse", "points in the band, %"))
    bends = rows.groupby("network", sort=False)["bend outside"].mean()
    sentence = "Each network learned x from −3 to 3 and is asked up to ±5. " + " ".join(
        f"{name[0].upper()}{name[1:]}: {rmse.loc[name, 'inside']:.1f} from the curve inside, "
        f"{rmse.loc[name, 'outside']:.0f} outside; the 90 % band holds {coverage.loc[name, 'inside']:.0f} % of the "
        f"points inside, {coverage.loc[name, 'outside']:.0f} % outside; from ±4 to ±5 the fit leaves a straight line "
        f"by {bends[name]:.1f}, where the noise has a standard deviation of {SHORT_CURVE['noise_std']:g}."
        for name in rmse.index
    )
    parts = bends.max() < SHORT_CURVE["noise_std"], coverage["outside"].max() < 60
    return Finding(tabulate(rows, "network", "region", {"truth_rmse": 3, "points in the band, %": 3}), parts, sentence)


def draw(rows: DataFrame) -> Figure:
    return draw_fits(
        {case.labels["network"]: fit(case, 0) for case in CASES},
        formula=SHORT_CURVE["formula"],
        limits=(-OUTSIDE, OUTSIDE),
        title="Outside the training range",
        note="trained on x from −3 to 3 (grey points); shaded: the 90 % band",
    )
