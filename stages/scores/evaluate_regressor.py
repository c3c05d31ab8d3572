"""Judge the fit on test points: against the noise floor, the true curve and a straight line."""

import numpy as np
import pandas as pd

from stages.common.artifacts import read_csv, read_weights, write_csv, write_json
from stages.common.errors import run
from stages.common.settings import CurveParams, load_params
from stages.curve.formula import evaluate
from stages.regressor.network import Regressor, network_from, predict
from stages.scores.fit import dead_units, linear_baseline_mae, linear_pieces, noise_floor_mae

GRID = 4001


def score_fit(network: Regressor, points: pd.DataFrame, params: CurveParams) -> dict[str, float | int | None]:
    """The fit's errors on the test points, in the unit of y; None where the truth is unknown (CSV data)."""
    rows = dict(list(points.groupby("split")))
    x, y, truth = (rows["test"][name].to_numpy() for name in ("x", "y", "truth"))
    train_x, train_y = (rows["train"][name].to_numpy() for name in ("x", "y"))
    fit, lower, upper = predict(network, x)
    mae, known = float(np.abs(y - fit).mean()), params.source == "formula"
    floor = noise_floor_mae(params.noise_std, params.outlier_fraction) if known else None
    return {
        "test_mae": mae,
        "noise_floor_mae": floor,
        "mae_over_floor": mae / floor if floor else None,
        "truth_rmse": float(np.sqrt(np.mean((truth - fit) ** 2))) if known else None,
        "linear_baseline_mae": linear_baseline_mae(train_x, train_y, x, y),
        "coverage_90": float(((lower <= y) & (y <= upper)).mean()),
        "linear_pieces": linear_pieces(network, train_x.min(), train_x.max()),
        "dead_units": dead_units(network, train_x),
    }


def tabulate_fit(network: Regressor, points: pd.DataFrame, params: CurveParams) -> pd.DataFrame:
    """What the pictures show, by series: test data with their residuals, the fit on a dense grid with its 90 % band,
    and the true curve where it is known."""
    test = points[points["split"] == "test"]
    grid = np.linspace(points["x"].min(), points["x"].max(), GRID)
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
    params, points = load_params("curve"), read_csv("data/curve.csv")
    network = network_from(*read_weights("data/regressor.safetensors"))
    write_json("metrics/regressor.json", score_fit(network, points, params))
    write_csv("plots/regressor_fit.csv", tabulate_fit(network, points, params))
    write_csv("plots/regressor_loss.csv", read_csv("data/regressor_history.csv"))


if __name__ == "__main__":
    run(main)
