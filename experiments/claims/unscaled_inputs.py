"""Unscaled inputs and targets spoil the training

First weights and learning rates are made for numbers near 1. The same network, optimizer and number of steps end
farther from the curve when x or y keep their own units (`regressor.standardise: false`).
"""

from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.findings import Finding, tabulate
from experiments.measure import PLAIN, SHORT_CURVE, Case, fit
from experiments.pictures import DISTANCE, draw_trend


def in_units(x: str, y: float, x_min: float, x_max: float) -> dict:
    """Return the short curve with another x and with y times larger."""
    formula = SHORT_CURVE["formula"].replace("x", x)
    noise = SHORT_CURVE["noise_std"] * y
    return SHORT_CURVE | {"formula": f"{y:g}*({formula})", "noise_std": noise, "x_min": x_min, "x_max": x_max}


UNITS = {  # x in the formula, factor on y, range of x
    "x −3 … 3, y ±100": ("x", 1.0, -3.0, 3.0),
    "x 100 times larger": ("(x/100)", 1.0, -300.0, 300.0),
    "x in years, 1970 … 2030": ("((x-2000)/10)", 1.0, 1970.0, 2030.0),
    "y 1,000 times larger": ("x", 1000.0, -3.0, 3.0),
}
CASES = [
    Case({"units": units, "trained on": name}, in_units(*numbers), PLAIN | {"standardise": standardise})
    for units, numbers in UNITS.items()
    for name, standardise in (("standardised numbers", True), ("their own units", False))
]
SEEDS = 3


def measure(case: Case, seed: int) -> list[dict]:
    """Return distances in the unit of the default curve, so that they compare."""
    fitted, y_unit = fit(case, seed), UNITS[case.labels["units"]][1]
    return [{"truth_rmse": fitted.truth_rmse / y_unit, "constant": float(fitted.test["truth"].std()) / y_unit}]


def judge(rows: DataFrame) -> Finding:
    errors = rows.groupby(["trained on", "units"], sort=False)["truth_rmse"].mean()
    scaled, own = errors["standardised numbers"], errors["their own units"]
    sentence = (
        f"Standardised, the fits end {scaled.mean():.1f} from the true curve (RMSE) in any units. "
        f"Unscaled: {', '.join(f'{units}: {error:.1f}' for units, error in own.items())}. The best constant is "
        f"{rows['constant'].mean():.0f} off."
    )
    return Finding(tabulate(rows, "units", "trained on", {"truth_rmse": 3}), tuple(own > 1.5 * scaled), sentence)


def draw(rows: DataFrame) -> Figure:
    return draw_trend(
        rows,
        *("units", "truth_rmse", "trained on"),
        title="The same training in different units",
        note="mean and standard deviation over the seeds, in the unit of the default curve",
        y_label=DISTANCE,
    )
