"""The trainings of the claims, recorded, on one page: docs/claims.html."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr

import numpy as np
import pandas as pd

from experiments.measure import Case, claim, points_of
from stages.common.progress import progress
from stages.common.settings import check_section
from stages.curve_page.curve_page import Run, curve_page
from stages.curve_page.playback import playback
from stages.regressor.recording import Recorder
from stages.regressor.training import train

RECORDED = {  # by claim, the labels of the cases to lay beside each other
    "depth": [("identity", 4), ("LeakyReLU", 4)],
    "linear_pieces": [(1, 4), (3, 64)],
    "vanishing_gradients": [("sigmoid", 8), ("LeakyReLU", 8)],
    "dead_units": [("ReLU", "0.1"), ("LeakyReLU", "0.1")],
    "optimizers": [("plain network", "SGD", 0.3), ("plain network", "Adam", 0.01)],
    "encodings": [("x itself",), ("Fourier features",)],
    "losses": [("L1", "5 % outliers"), ("L2", "5 % outliers")],
    "sample_size": [(100,), (3_000,)],
    "overfitting": [(60,), (3_000,)],
}
MOMENTS, PLACES, LOOKS = 30, 301, 2  # of a recording; behind waves no looks inside, whose weights are many
MOST_POINTS = {"train": 600, "test": 400}


def playback_page(run: Callable = map) -> str:
    """Train the recorded cases with seed 0 by `run`, a `map`; return the page of all of them."""
    cases = recorded_cases()
    runs = progress(run(record, cases), "recording", "fit", len(cases))
    return curve_page(list(runs), "The claims, played back")


def recorded_cases() -> list[tuple[str, Case]]:
    """Return the claim and the case of each recording."""
    cases = {(name, tuple(case.labels.values())): case for name in RECORDED for case in claim(name).CASES}
    return [(name, cases[name, labels]) for name, found in RECORDED.items() for labels in found]


def record(recorded: tuple[str, Case]) -> Run:
    """Train a case of a claim with seed 0 and record it."""
    name, case = recorded
    params = check_section("regressor", case.regressor | {"seed": 0}, f"claim {case.labels}")
    train_points, test_points = points_of(case, 0)
    recorder = Recorder(MOMENTS)
    with redirect_stderr(io.StringIO()):  # no progress bar for each training
        x, y = train_points["x"].to_numpy(), train_points["y"].to_numpy()
        network, history = train(x, y, params, on_step=recorder)
    labels = ", ".join(
        value if isinstance(value, str) and len(value) > 3 else f"{key} {value}" for key, value in case.labels.items()
    )
    looks = 0 if params.encoding == "fourier" else LOOKS
    recording = playback(recorder.arrays(network, history), network, PLACES, looks)
    return Run(
        f"{name.replace('_', ' ').capitalize()} – {labels}",
        recording | {part: recording[part].astype(np.float16) for part in ("fit", "band", "weights")},
        {**network.architecture, "loss": params.loss, "x_name": "x", "y_name": "y"},
        case.regressor | {"points": case.curve["samples"], "outliers": case.others.get("outliers", 0)},
        pd.concat([train_points, test_points]),
        check_section("curve", case.curve | {"seed": 0}, f"claim {case.labels}"),
        MOST_POINTS,
    )
