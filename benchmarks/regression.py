"""The regressor beside scikit-learn's: error and fit time, on the default curve and on curves no setting was made for.

Everyone learns from the same points. `fitmap` is params.yaml as it stands (loss l1), `floor` has the overrides of
experiments/l2_loss.yaml (loss l2), `ridge` is ridge regression on the network's own features, in closed form.

Default curve: 5,000 points for each of five data seeds. `truth_rmse` is the root mean squared error to the curve
without noise on a dense grid; `mae_over_floor` the mean absolute error on 5,000 new points over 30·√(2/π). Means over
the seeds; times are medians. The Gaussian process is left out: it takes minutes for so many points.

Other curves (benchmarks/curves.py): mean absolute error to the curve without noise on a dense grid. A ratio is ours
over that of the scikit-learn baseline that happens to be best on this very problem, known only with hindsight; an error
below a thousandth of the curve's spread counts as that.
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from benchmarks import parser, report
from benchmarks.curves import problems
from stages.common.settings import CurveParams, RegressorParams, check_section, load_params
from stages.curve.formula import evaluate
from stages.curve.points import draw_points, noise_floor_mae
from stages.regressor.feature_amplitudes import choose_features
from stages.regressor.network import angular_frequencies, predict, waves
from stages.regressor.training import FOLDS, train

Prediction = Callable[[np.ndarray], tuple[np.ndarray, ...]]  # of x: y, and the bounds of a band where there is one
OURS = ("fitmap", "floor", "ridge")
FLOOR = Path("experiments/l2_loss.yaml")
SEEDS, CURVE_SEEDS = 5, 4


class FeatureRidge:
    """Ridge regression on the network's Fourier features, for x from -1 to 1 and y of unit scale."""

    def __init__(self, frequencies: int):
        self.angular = angular_frequencies(frequencies)

    def fit(self, x: np.ndarray, y: np.ndarray) -> "FeatureRidge":
        u, target = torch.from_numpy(x[:, 0]), torch.from_numpy(y)
        folds = torch.randperm(len(u), generator=torch.Generator().manual_seed(0)).chunk(FOLDS)
        chosen = choose_features(self.angular, u, target, folds)
        self.mix = torch.cat([torch.eye(2, len(chosen.mix)).T.double(), chosen.mix], dim=1)
        inputs = waves(u, self.angular) @ self.mix
        penalty = torch.full((self.mix.shape[1],), chosen.ridge, dtype=torch.float64)
        penalty[:2] = 0
        self.weights = torch.linalg.solve(inputs.T @ inputs + penalty.diag(), inputs.T @ target)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return (waves(torch.from_numpy(x[:, 0]), self.angular) @ self.mix @ self.weights).numpy()


def fit_baseline(model, x: np.ndarray, y: np.ndarray) -> Prediction:
    """Fit a baseline to points x, y (n,), x scaled to -1 … 1 and y standardised."""
    middle, reach, mean, std = (x.min() + x.max()) / 2, np.ptp(x) / 2, y.mean(), y.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(((x - middle) / reach)[:, None], (y - mean) / std)
    return lambda at: (model.predict(((at - middle) / reach)[:, None]) * std + mean,)


def fit_ours(params: RegressorParams, x: np.ndarray, y: np.ndarray) -> Prediction:
    network, _ = train(x, y, params)
    return lambda at: predict(network, at)


def contestants() -> dict[str, Callable[[np.ndarray, np.ndarray], Prediction]]:
    """Return every method by name, as a function of the training points."""
    default = load_params("regressor")
    overrides = {name.removeprefix("regressor."): value for name, value in yaml.safe_load(FLOOR.read_text()).items()}
    floor = check_section("regressor", {**default.model_dump(), **overrides}, str(FLOOR))
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * RBF(0.1, (1e-3, 1e2)) + WhiteKernel(0.1, (1e-6, 1e1))
    models = {
        "ridge": FeatureRidge(default.frequencies),
        "linear": LinearRegression(),
        "mlp": MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=300, random_state=0),
        "boosting": GradientBoostingRegressor(n_estimators=300, max_depth=3, learning_rate=0.1, random_state=0),
        "forest": RandomForestRegressor(200, min_samples_leaf=5, random_state=0),
        "knn": KNeighborsRegressor(10),
        "spline": make_pipeline(SplineTransformer(200), RidgeCV(np.logspace(-4, 3, 15))),
        "gp": GaussianProcessRegressor(kernel, n_restarts_optimizer=0, random_state=0),
    }
    fits = {"fitmap": lambda x, y: fit_ours(default, x, y), "floor": lambda x, y: fit_ours(floor, x, y)}
    return fits | {name: lambda x, y, model=model: fit_baseline(model, x, y) for name, model in models.items()}


def measure_default(curve: CurveParams, methods: dict, seeds: int) -> pd.DataFrame:
    """Return a row for each seed and method: truth_rmse, mae_over_floor, coverage_90, fit_seconds."""
    rows = []
    grid = np.linspace(curve.x_min, curve.x_max, 4001)
    truth, floor = evaluate(curve.formula, grid), noise_floor_mae(curve.noise_std)
    for seed in range(seeds):
        splits = dict(iter(draw_points(curve.model_copy(update={"seed": seed})).groupby("split")))
        train_points, (x, y) = ([splits[split][name].to_numpy() for name in "xy"] for split in ("train", "test"))
        for name, fit in methods.items():
            start = time.perf_counter()
            prediction = fit(*train_points)
            seconds = time.perf_counter() - start
            fitted, *band = prediction(x)
            rows.append(
                {
                    "method": name,
                    "truth_rmse": float(np.sqrt(np.mean((prediction(grid)[0] - truth) ** 2))),
                    "mae_over_floor": float(np.abs(fitted - y).mean() / floor),
                    "coverage_90": float(((band[0] <= y) & (y <= band[1])).mean()) if band else np.nan,
                    "fit_seconds": seconds,
                }
            )
            print(f"seed {seed} {name:10s} rmse {rows[-1]['truth_rmse']:7.2f}  {seconds:6.1f} s", flush=True)
    return pd.DataFrame(rows)


def measure_curves(methods: dict, seeds: int) -> pd.DataFrame:
    """Return a row for each data seed and problem, a column for each method: mean absolute error to the truth."""
    rows = {}
    for seed in range(seeds):
        for problem in problems(seed):
            least = 1e-3 * np.abs(problem.truth).std()
            rows[seed, problem.name] = {
                name: max(float(np.abs(fit(*problem.train)(problem.grid)[0] - problem.truth).mean()), least)
                for name, fit in methods.items()
            }
            print(f"seed {seed} {problem.name}", flush=True)
    return pd.DataFrame(rows).T


def ratios(curves: pd.DataFrame) -> pd.DataFrame:
    """Return our errors over those of the best baseline, with its name."""
    others = curves.drop(columns=[*OURS])
    return curves[[*OURS]].div(others.min(axis=1), axis=0).assign(best=others.idxmin(axis=1))


def summarise(default: pd.DataFrame, ratio: pd.DataFrame) -> dict[str, float]:
    """Return the figures of the JSON line."""
    groups = default.groupby("method", sort=False)
    means, figures = groups[["truth_rmse", "mae_over_floor", "coverage_90"]].mean(), {}
    for name, seconds in groups["fit_seconds"].median().items():
        figures[f"{name}_truth_rmse"] = means.loc[name, "truth_rmse"]
        figures[f"{name}_mae_over_floor"] = means.loc[name, "mae_over_floor"]
        figures[f"{name}_fit_seconds"] = seconds
    for name in OURS:
        if name != "ridge":
            figures[f"{name}_coverage_90"] = means.loc[name, "coverage_90"]
        figures[f"{name}_median_curve_ratio"] = ratio[name].median()
        figures[f"{name}_worst_curve_ratio"] = ratio[name].max()
        figures[f"{name}_curves_ahead"] = int((ratio[name] < 1).sum())
    figures["curves"] = len(ratio)
    return figures


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=SEEDS, help="draws of the default curve")
    options.add_argument("--curve-seeds", type=int, default=CURVE_SEEDS, help="draws of each of the other curves")
    arguments = options.parse_args()
    methods = contestants()
    quick = {name: fit for name, fit in methods.items() if name != "gp"}
    default = measure_default(load_params("curve"), quick, arguments.seeds)
    ratio = ratios(measure_curves(methods, arguments.curve_seeds))
    print(default.groupby("method", sort=False).mean().round(3).to_string())
    print(ratio.round(3).to_string())
    report("regression", summarise(default, ratio), arguments.json)


if __name__ == "__main__":
    main()
