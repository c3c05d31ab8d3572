"""Fits for the claims, and rows of measurements that are kept in CSV files.

A claim is a module in experiments/claims/. Its docstring is the claim, `CASES` are the settings that it compares,
`measure(case, seed)` returns one row or several, `judge(rows)` says what they show, and `TREND` or `draw(rows)` is
their picture. Each row is kept in the CSV file beside the module under a key of its settings. To measure a claim anew,
delete its CSV file.
"""

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from stages.common.artifacts import write_csv
from stages.common.progress import progress
from stages.common.settings import check_section
from stages.curve.points import draw_points
from stages.regressor.network import Regressor, predict
from stages.regressor.training import train

# The settings are written out, so that the claims stay as they are when params.yaml changes.
CURVE = {
    "source": "formula",
    "x_column": "auto",
    "y_column": "auto",
    "x_scale": "linear",
    "formula": "0.5*x**3 - 0.5*x**2 - 90*sin(x**2) + 1",
    "x_min": -10.0,
    "x_max": 10.0,
    "samples": 5000,
    "test_samples": 5000,
    "noise_std": 30.0,
    "test_fraction": 0.15,
}
SHORT_CURVE = CURVE | {"x_min": -3.0, "x_max": 3.0, "samples": 1000, "noise_std": 10.0}  # the plain network can fit it
PLAIN = {  # the articles' network: x itself, linear layers, LeakyReLU(0.2), L1, Adam
    "encoding": "none",
    "frequencies": 192,
    "hidden_layers": [64, 64, 64],
    "activation": "leaky_relu",
    "negative_slope": 0.2,
    "loss": "l1",
    "optimizer": "adam",
    "learning_rate": 0.01,
    "batch_size": 64,
    "epochs": 60,
    "ensemble_size": 1,
}
FOURIER = PLAIN | {  # the default network, but one instead of five
    "encoding": "fourier",
    "hidden_layers": [32, 32],
    "learning_rate": 0.05,
    "batch_size": 256,
    "epochs": 30,
}


class Case(NamedTuple):
    """One combination of settings: its name by axis, the sections `curve` and `regressor` without seeds, and others."""

    labels: dict[str, str | int | float]
    curve: dict = {}  # noqa: RUF012 - never changed
    regressor: dict = {}  # noqa: RUF012
    others: dict = {}  # noqa: RUF012

    @property
    def key(self) -> str:
        """Eight letters that change with any label or setting."""
        return hashlib.sha256(json.dumps(self, sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Fit:
    """A trained network, its history (a row for each epoch), and its points (columns x, y, truth)."""

    network: Regressor
    history: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the fitted curve at x (n,)."""
        return predict(self.network, x)[0]

    @property
    def truth_rmse(self) -> float:
        """Root mean squared distance from the true curve on the test points."""
        return float(np.sqrt(np.mean((self(self.test["x"]) - self.test["truth"]) ** 2)))

    @property
    def test_mae(self) -> float:
        """Mean absolute error on the test points."""
        return float(np.abs(self(self.test["x"]) - self.test["y"]).mean())


def points_of(case: Case, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the training and the test points of a case.

    A share `outliers` of the training points, if the case's `others` name one, has ten times its noise.
    """
    points = draw_points(check_section("curve", case.curve | {"seed": seed}, f"claim {case.labels}"))
    train_points, test_points = (points[points["split"] == split] for split in ("train", "test"))
    wild = np.random.default_rng([seed, 2]).random(len(train_points)) < case.others.get("outliers", 0)
    noise = train_points["y"] - train_points["truth"]
    train_points = train_points.assign(y=train_points["truth"] + noise * np.where(wild, 10, 1))
    return train_points, test_points


def fit(case: Case, seed: int, trained: bool = True, **watch: Callable) -> Fit:
    """Draw points and train on them, both with `seed`; untrained, one epoch with steps of nearly no length.

    `watch` may hold the `on_step` and `on_epoch` of `train`.
    """
    still = {} if trained else {"epochs": 1, "learning_rate": 1e-9}
    regressor = check_section("regressor", case.regressor | still | {"seed": seed}, f"claim {case.labels}")
    train_points, test_points = points_of(case, seed)
    with redirect_stderr(io.StringIO()):  # no progress bar for each training
        network, history = train(train_points["x"].to_numpy(), train_points["y"].to_numpy(), regressor, **watch)
    return Fit(network, history, train_points, test_points)


def claim(name: str) -> ModuleType:
    """Return the module of a claim."""
    return import_module(f"experiments.claims.{name}")


def measure_one(task: tuple[str, Case, int]) -> pd.DataFrame:
    """Measure one case of a claim with one seed; floats have six significant digits."""
    name, case, seed = task
    torch.set_num_threads(1)
    rows = pd.DataFrame(claim(name).measure(case, seed))
    floats = rows.select_dtypes(float)
    rows[floats.columns] = floats.map(lambda value: float(f"{value:.6g}"))
    labels = pd.DataFrame([{"key": case.key, **case.labels, "seed": seed}] * len(rows))
    return pd.concat([labels, rows], axis=1)


def measured_rows(name: str, path: Path, run: Callable = map) -> tuple[pd.DataFrame, int]:
    """Return the rows of a claim and how many cases were missing in the CSV file at `path`.

    Missing cases are measured by `run`, a `map`, and saved one after the other, so that an interrupted run goes on
    where it stopped. Rows of other settings are dropped. Columns: the labels, seed, then what `measure` returns.
    """
    tasks = {(case.key, seed): (name, case, seed) for case in claim(name).CASES for seed in range(claim(name).SEEDS)}
    texts = {label: str for label, value in claim(name).CASES[0].labels.items() if isinstance(value, str)}
    kept = pd.read_csv(path, dtype={"key": str, **texts}) if path.is_file() else pd.DataFrame({"key": [], "seed": []})
    found = dict(iter(kept.groupby(["key", "seed"], sort=False)))
    missing = [key for key in tasks if key not in found]
    fresh = run(measure_one, [tasks[key] for key in missing])
    for key, rows in zip(missing, progress(fresh, name, "fit", len(missing)) if missing else (), strict=True):
        found[key] = rows
        write_csv(str(path), pd.concat([found[key] for key in tasks if key in found]))
    return pd.concat([found[key] for key in tasks if key in found], ignore_index=True).drop(columns="key"), len(missing)
