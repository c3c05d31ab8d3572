"""Trainings of a second or so, recorded, for the tests of the page."""

from functools import cache

import numpy as np
import pandas as pd

from stages.common.settings import CurveParams, RegressorParams, load_params
from stages.curve.points import draw_points
from stages.curve_page.curve_page import Run, name_of_run
from stages.curve_page.playback import playback
from stages.regressor.network import Regressor
from stages.regressor.recording import Recorder
from stages.regressor.training import train

CURVE = load_params("curve").model_copy(
    update={"formula": "3*sin(4*x)", "x_min": -2.0, "x_max": 3.0, "samples": 400, "test_samples": 200, "noise_std": 0.3}
)
PLAIN = load_params("regressor").model_copy(
    update={"encoding": "none", "hidden_layers": [12, 8], "learning_rate": 0.02, "batch_size": 64, "epochs": 12}
)
WAVES = PLAIN.model_copy(update={"encoding": "fourier", "frequencies": 16, "ensemble_size": 2})


@cache
def record(name: str) -> tuple[Run, Regressor]:
    """Return a recorded training and the network that it ended with."""
    changes = {
        "plain": PLAIN,
        "waves": WAVES,
        "sigmoid": PLAIN.model_copy(update={"activation": "sigmoid", "ensemble_size": 1}),
        "line": PLAIN.model_copy(update={"hidden_layers": [], "ensemble_size": 1, "loss": "huber"}),
        "dead": PLAIN.model_copy(update={"activation": "relu", "ensemble_size": 1, "learning_rate": 0.3}),
    }
    return recorded(name, draw_points(CURVE), CURVE, changes[name])


def own_points() -> pd.DataFrame:
    """Points over decades of x, of which nobody knows the true curve."""
    generator = np.random.default_rng(0)
    x = 10 ** generator.uniform(-2, 3, 300)
    table = {"split": np.repeat(["train", "test"], [240, 60]), "x": x, "y": np.log10(x) ** 2, "truth": np.nan}
    return pd.DataFrame(table).assign(y=lambda rows: rows["y"] + generator.normal(0, 0.2, 300))


@cache
def record_own() -> tuple[Run, Regressor]:
    """Return a training on points of a file, with a logarithmic x and names of columns."""
    curve = CURVE.model_copy(update={"source": "doses.csv", "x_scale": "log"})
    return recorded("doses", own_points(), curve, PLAIN, "dose, mg/l", "<b>growth</b>")


def recorded(
    name: str, points: pd.DataFrame, curve: CurveParams, params: RegressorParams, x_name: str = "x", y_name: str = "y"
) -> tuple[Run, Regressor]:
    rows, recorder = points[points["split"] == "train"], Recorder()
    network, history = train(rows["x"].to_numpy(), rows["y"].to_numpy(), params, curve.x_scale == "log", recorder)
    architecture = {**network.architecture, "loss": params.loss, "x_name": x_name, "y_name": y_name}
    recording = playback(recorder.arrays(network, history), network)
    return Run(name or name_of_run(params), recording, architecture, params.model_dump(), points, curve), network
