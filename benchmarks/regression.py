"""The regressor beside scikit-learn's: error and fit time, on the default curve and on curves no setting was made for.

Everyone learns from the same points. Ours holds shares of them out to choose its epochs and its mixture and to measure
its band; the baselines choose by cross-validation or by likelihood, where they choose at all.

Default curve: 5,000 points for each of the data seeds. `truth_rmse` is the root mean squared error to the curve
without noise on a dense grid over the range; `mae_over_floor` the mean absolute error on 5,000 new points over
30·√(2/π). Means over the seeds; times are medians. `fitmap` is params.yaml as it stands, `floor` the overrides of
experiments/floor.yaml.

Other curves (benchmarks/curves.py): mean absolute error to the curve without noise on a dense grid. A ratio is ours
over that of the baseline that happens to be best on this very problem, known only with hindsight; an error below
a thousandth of the noise counts as that. `worst_curve_ratio` is the largest.
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from benchmarks.curves import problems
from stages.common.settings import CurveParams, RegressorParams, check_section, load_params
from stages.curve.formula import evaluate
from stages.curve.points import draw_points
from stages.regressor.network import predict
from stages.regressor.training import train
from stages.scores.fit import noise_floor_mae

Points = tuple[np.ndarray, np.ndarray]
Predictor = Callable[[np.ndarray], np.ndarray]
FLOOR = Path("experiments/floor.yaml")
SEEDS = 5


def baselines() -> dict:
    """scikit-learn's regressors by name, for x and y of unit scale."""
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * RBF(0.1, (1e-3, 1e2)) + WhiteKernel(0.1, (1e-6, 1e1))
    return {
        "linear": LinearRegression(),
        "mlp": MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=300, random_state=0),
        "boosting": GradientBoostingRegressor(n_estimators=300, max_depth=3, learning_rate=0.1, random_state=0),
        "forest": RandomForestRegressor(200, min_samples_leaf=5, random_state=0),
        "knn": KNeighborsRegressor(10),
        "spline": make_pipeline(SplineTransformer(200), RidgeCV(np.logspace(-4, 3, 15))),
        "gp": GaussianProcessRegressor(kernel, n_restarts_optimizer=0, random_state=0),
    }


def fit_baseline(model, train_points: Points) -> tuple[Predictor, None]:
    """A baseline's prediction, fitted on standardised x and y."""
    x, y = (values[:, None] for values in train_points)
    x_scale, y_scale = StandardScaler().fit(x), StandardScaler().fit(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x_scale.transform(x), y_scale.transform(y)[:, 0])

    def predictor(x: np.ndarray) -> np.ndarray:
        return y_scale.inverse_transform(model.predict(x_scale.transform(x[:, None]))[:, None])[:, 0]

    return predictor, None


def fit_ours(params: RegressorParams, train_points: Points) -> tuple[Predictor, Callable]:
    """Our prediction, and the function that gives the prediction with its band."""
    network, _ = train(*train_points, params)
    return lambda x: predict(network, x)[0], lambda x: predict(network, x)


def contestants(default: RegressorParams, floor: RegressorParams) -> Iterator[tuple[str, Callable]]:
    """Every method by name, as a function of the training points."""
    yield "fitmap", lambda points: fit_ours(default, points)
    yield "floor", lambda points: fit_ours(floor, points)
    for name, model in baselines().items():
        yield name, lambda points, model=model: fit_baseline(model, points)


def measure_default(curve: CurveParams, methods: list) -> pd.DataFrame:
    """A row for each seed and method: truth_rmse, mae_over_floor, coverage_90, fit_seconds."""
    rows = []
    grid = np.linspace(curve.x_min, curve.x_max, 4001)
    truth, floor = evaluate(curve.formula, grid), noise_floor_mae(curve.noise_std)
    for seed in range(SEEDS):
        splits = dict(iter(draw_points(curve.model_copy(update={"seed": seed})).groupby("split")))
        points = {name: (rows_["x"].to_numpy(), rows_["y"].to_numpy()) for name, rows_ in splits.items()}
        for name, fit in methods:
            start = time.perf_counter()
            predictor, band = fit(points["train"])
            seconds = time.perf_counter() - start
            x, y = points["test"]
            row = {
                "method": name,
                "seed": seed,
                "truth_rmse": float(np.sqrt(np.mean((predictor(grid) - truth) ** 2))),
                "mae_over_floor": float(np.abs(predictor(x) - y).mean() / floor),
                "coverage_90": np.nan,
                "fit_seconds": seconds,
            }
            if band:
                _, lower, upper = band(x)
                row["coverage_90"] = float(((lower <= y) & (y <= upper)).mean())
            rows.append(row)
            print(f"seed {seed} {name:10s} rmse {row['truth_rmse']:7.2f}  {seconds:6.1f} s", flush=True)
    return pd.DataFrame(rows)


def measure_curves(methods: list) -> pd.DataFrame:
    """A row for each problem, a column for each method: mean absolute error to the truth."""
    rows = {}
    for problem in problems():
        smallest = 1e-3 * np.abs(problem.truth).std()
        errors = {}
        for name, fit in methods:
            predictor, _ = fit(problem.train)
            errors[name] = max(float(np.abs(predictor(problem.grid) - problem.truth).mean()), smallest)
        rows[problem.name] = errors
        best = min((error, name) for name, error in errors.items() if name not in ("fitmap", "floor"))
        print(f"{problem.name:40s} fitmap {errors['fitmap'] / best[0]:6.2f} of {best[1]}'s", flush=True)
    return pd.DataFrame(rows).T


def summarise(default: pd.DataFrame, curves: pd.DataFrame) -> dict[str, float]:
    """The flat figures of the JSON line."""
    groups = default.groupby("method")
    means = groups[["truth_rmse", "mae_over_floor", "coverage_90"]].mean()
    seconds = groups["fit_seconds"].median()
    figures = {}
    for name in default["method"].unique():
        figures[f"{name}_truth_rmse"] = means.loc[name, "truth_rmse"]
        figures[f"{name}_mae_over_floor"] = means.loc[name, "mae_over_floor"]
        figures[f"{name}_fit_seconds"] = seconds[name]
    best = curves.drop(columns=["fitmap", "floor"]).min(axis=1)
    for name, prefix in (("fitmap", ""), ("floor", "floor_")):
        ratio = curves[name] / best
        figures[f"{name}_coverage_90"] = means.loc[name, "coverage_90"]
        figures[f"{prefix}worst_curve_ratio"] = ratio.max()
        figures[f"{prefix}median_curve_ratio"] = ratio.median()
        figures[f"{prefix}curves_ahead"] = int((ratio < 1).sum())
    figures["curves"] = len(curves)
    return {name: round(float(value), 4) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    arguments = parser.parse_args()
    default = load_params("regressor")
    overrides = {name.removeprefix("regressor."): value for name, value in yaml.safe_load(FLOOR.read_text()).items()}
    floor = check_section("regressor", {**default.model_dump(), **overrides}, str(FLOOR))
    methods = list(contestants(default, floor))
    seeds = measure_default(load_params("curve"), methods)
    curves = measure_curves(methods)
    print(seeds.groupby("method", sort=False).mean().drop(columns="seed").round(3).to_string())
    print(curves.round(4).to_string())
    figures = summarise(seeds, curves)
    if arguments.json:
        machine = {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "regression", "machine": machine, "figures": figures}))
    else:
        print("\n".join(f"{name:28s} {value:10.4f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
