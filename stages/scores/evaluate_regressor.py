"""Judge the fit on test points: against the noise floor, the true curve and a straight line."""

import math
import sys

import numpy as np
import pandas as pd

from stages.common.artifacts import read_weights, write_csv, write_json
from stages.common.errors import run
from stages.common.settings import CurveParams, load_params
from stages.curve.formula import evaluate
from stages.curve.points import noise_floor_mae, read_curve, wild_y
from stages.regressor.network import Regressor, network_from, predict
from stages.scores.linear_baseline import linear_baseline_mae, straight_line
from stages.scores.pieces_and_dead_units import dead_units, linear_pieces

GRID = 4001


def score_fit(network: Regressor, points: pd.DataFrame, params: CurveParams) -> dict[str, float | int | None]:
    """Return the scores on the test points, in the unit of y; None where the truth is unknown (CSV data).

    Errors keep six significant digits, ratios four decimals.
    """
    rows = dict(list(points.groupby("split")))
    x, y, truth = (rows["test"][name].to_numpy() for name in ("x", "y", "truth"))
    train_x, train_y = (rows["train"][name].to_numpy() for name in ("x", "y"))
    fit, lower, upper = predict(network, x)
    mae, known = float(np.abs(y - fit).mean()), params.source == "formula"
    floor = noise_floor_mae(params.noise_std) if known else None
    return {
        "test_mae": significant(mae),
        "noise_floor_mae": significant(floor) if known else None,
        "mae_over_floor": round(mae / floor, 4) if floor else None,
        "truth_rmse": significant(float(np.sqrt(np.mean((truth - fit) ** 2)))) if known else None,
        "linear_baseline_mae": significant(linear_baseline_mae(train_x, train_y, x, y)),
        "coverage_90": round(float(((lower <= y) & (y <= upper)).mean()), 4),
        "linear_pieces": linear_pieces(network, network.x_low.item(), network.x_high.item()),
        "dead_units": dead_units(network, train_x),
    }


def without_wild(points: pd.DataFrame, params: CurveParams) -> pd.DataFrame:
    """Return the points that count: measured ones without wild y, of which a single one would decide every mean."""
    if params.source == "formula":
        return points
    return points[~wild_y(points["x"].to_numpy(), points["y"].to_numpy())]


def significant(value: float, digits: int = 6) -> float:
    """Round to significant digits."""
    return float(f"{value:.{digits}g}")


def hint(network: Regressor, points: pd.DataFrame) -> str | None:
    """Say so if the fit is not nearer to the test points than a line, by two standard errors, and what can be done."""
    rows = dict(list(points.groupby("split")))
    x, y = rows["test"]["x"].to_numpy(), rows["test"]["y"].to_numpy()
    if points["y"].nunique() == 1:
        return None
    line = straight_line(rows["train"]["x"].to_numpy(), rows["train"]["y"].to_numpy(), x)
    ours, theirs = np.abs(y - predict(network, x)[0]), np.abs(y - line)
    gain = theirs - ours  # never more than fit and line differ, so no wild y decides
    if gain.mean() > 2 * gain.std() / math.sqrt(len(gain)):
        return None
    architecture = network.architecture
    remedy = (
        f"raise regressor.frequencies (now {architecture['frequencies']}) if the curve is faster than that"
        if architecture["encoding"] == "fourier"
        else "set regressor.encoding to fourier"
    )
    return (
        f"fitmap: the fit is no better than a straight line (median error {np.median(ours):.4g}, "
        f"line {np.median(theirs):.4g}): {remedy}; else the points lie about a line, or y does not depend on x"
    )


def tabulate_fit(network: Regressor, points: pd.DataFrame, params: CurveParams) -> pd.DataFrame:
    """Return what the pictures show, by series: the test points with their residuals, the fit on a dense grid with its
    90 % band, and the true curve where it is known."""
    test = points[points["split"] == "test"]
    ends = network.x_low.item(), network.x_high.item()
    grid = (np.geomspace if network.architecture["log_x"] else np.linspace)(*ends, GRID)
    fit, lower, upper = predict(network, grid)
    residual = test["y"] - predict(network, test["x"])[0]
    series = [
        pd.DataFrame({"series": "test data", "x": test["x"], "y": test["y"], "residual": residual}),
        pd.DataFrame({"series": "fit", "x": grid, "y": fit, "lower": lower, "upper": upper}),
    ]
    if params.source == "formula":
        series.append(pd.DataFrame({"series": "true curve", "x": grid, "y": evaluate(params.formula, grid)}))
    return pd.concat(series, ignore_index=True)[["series", "x", "y", "lower", "upper", "residual"]]


def main() -> None:
    params = load_params("curve")
    points = without_wild(read_curve("data/curve.csv"), params)
    network = network_from(*read_weights("data/regressor.safetensors"))
    write_json("metrics/regressor.json", score_fit(network, points, params))
    write_csv("plots/regressor_fit.csv", tabulate_fit(network, points, params))
    if message := hint(network, points):
        print(message, file=sys.stderr)


if __name__ == "__main__":
    run(main)
