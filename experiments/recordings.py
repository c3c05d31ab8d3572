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
MOMENTS, EVERY, INSIDE = 30, 2, 2  # of a recording on the page: moments, of its places one in so many, looks inside
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
    recorder = Recorder()
    with redirect_stderr(io.StringIO()):  # no progress bar for each training
        x, y = train_points["x"].to_numpy(), train_points["y"].to_numpy()
        network, history = train(x, y, params, on_step=recorder)
    labels = ", ".join(
        value if isinstance(value, str) and len(value) > 3 else f"{key} {value}" for key, value in case.labels.items()
    )
    return Run(
        f"{name.replace('_', ' ').capitalize()} – {labels}",
        compact(recorder.arrays(network, history)),
        {**network.architecture, "loss": params.loss, "x_name": "x", "y_name": "y"},
        case.regressor | {"points": case.curve["samples"], "outliers": case.others.get("outliers", 0)},
        pd.concat([train_points, test_points]),
        check_section("curve", case.curve | {"seed": 0}, f"claim {case.labels}"),
        MOST_POINTS,
    )


def compact(recording: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a recording of fewer moments and places, rounded to half precision, with the last looks inside alone.

    Behind waves there is no look inside: their weights would take most of the page.
    """
    r, steps = recording, len(recording["step"])
    moments = np.unique(np.linspace(0, steps - 1, MOMENTS).round().astype(int))
    inside = np.flatnonzero(np.isin(r["inside"], moments))
    if r["mix"].size:
        inside = inside[:0]
    elif len(inside):
        inside = inside[np.unique(np.linspace(len(inside) // 2, len(inside) - 1, INSIDE).astype(int))]
    ends = np.split(r["corners"], np.cumsum(r["corner_counts"])[:-1]) if len(r["corner_counts"]) else []
    kept = [ends[k] for k in inside] if ends else []
    return r | {
        **{name: r[name][moments] for name in ("step", "gradient")},
        "train_loss": np.array([part.mean() for part in np.split(r["train_loss"], moments[:-1] + 1)], np.float32),
        "u": r["u"][::EVERY],
        "fit": r["fit"][moments][:, ::EVERY].astype(np.float16),
        "band": r["band"][:, ::EVERY].astype(np.float16),
        "inside": np.searchsorted(moments, r["inside"][inside]).astype(np.int32),
        "weights": r["weights"][inside].astype(np.float16),
        "mix": r["mix"][:0],
        "corner_counts": r["corner_counts"][inside] if ends else r["corner_counts"],
        "corners": np.concatenate([np.empty((0, 2), np.float32), *kept]),
    }
