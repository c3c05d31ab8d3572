"""The page that plays trainings of the regressor back, as one HTML file that needs no network."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.csv_dialects import DAYS
from stages.common.settings import CurveParams, RegressorParams, name_of_activation
from stages.curve.formula import evaluate
from stages.curve.points import noise_floor_mae
from stages.page.html_document import data_script, html_document
from stages.page.pack_bytes import as_text, deflated

WEB = Path(__file__).with_name("web")
MOST_POINTS = {"train": 4000, "test": 2000}  # on the page


@dataclass(frozen=True)
class Run:
    """A recorded training.

    recording: arrays of `stages/curve_page/playback.py`. architecture: that of the network's weights. settings: of the
    training, to list. points: columns split, x, y, as `read_curve` returns them; `most_points` of each split are shown.
    curve: where the points come from.
    """

    name: str
    recording: dict[str, np.ndarray]
    architecture: dict
    settings: dict
    points: pd.DataFrame
    curve: CurveParams
    most_points: dict[str, int] | None = None


def curve_page(runs: Sequence[Run], title: str = "How the network learned") -> str:
    """Return the page as HTML; equal arguments give equal bytes. The first run is shown first."""
    return html_document(WEB, title, [data_script(as_text(deflated(packed(run))), run=run.name) for run in runs])


def packed(run: Run) -> bytes:
    """Return a run as bytes: the length of a JSON header as a 32-bit number, the header, then the arrays it lists.

    Points and the true curve are in scaled x and y, as the recording. Of arrays of several bytes a number all first
    bytes come first, then all second ones: so they deflate better.
    """
    arrays = {**run.recording, **scaled_points(run), **true_curve(run)}
    arrays["u"] = arrays["u"].astype(np.float32)
    content = [np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")) for array in arrays.values()]
    listed = [[name, str(array.dtype), list(array.shape)] for name, array in arrays.items()]
    header = json.dumps(header_of(run) | {"arrays": listed}, allow_nan=False).encode()
    planes = [array.reshape(-1).view(np.uint8).reshape(-1, array.itemsize).T.tobytes() for array in content]
    return b"".join([len(header).to_bytes(4, "little"), header, *planes])


def header_of(run: Run) -> dict:
    """Return what the page knows of a run besides its arrays."""
    a = run.architecture
    return {
        "name": run.name,
        "settings": {key: str(value) for key, value in run.settings.items()},
        "xName": a["x_name"].removesuffix(DAYS),
        "yName": a["y_name"],
        "dates": a["x_name"].endswith(DAYS),
        "logX": a["log_x"],
        "loss": a["loss"],
        "activation": a["activation"],
        "activationName": name_of_activation(a),
        "slope": a["negative_slope"],
        "hiddenLayers": a["hidden_layers"],
        "components": a["components"],
        "frequencies": a["frequencies"] if a["components"] else 0,
        "networks": a["ensemble_size"],
        "formula": run.curve.formula if run.curve.source == "formula" else "",
        "floor": noise_floor(run.curve, a["loss"]),
        "noiseMae": noise_floor(run.curve, "l1"),
        "counts": run.points["split"].value_counts().to_dict(),
    }


def name_of_run(params: RegressorParams) -> str:
    """Return a short name for a training with these settings."""
    activation = name_of_activation(params.model_dump())
    layers = " × ".join(map(str, params.hidden_layers)) or "no hidden layer"
    encoding = "Fourier features" if params.encoding == "fourier" else "Plain network"
    return f"{encoding}, {layers}, {activation}, {params.loss.upper()}"


def noise_floor(curve: CurveParams, loss: str) -> float | None:
    """Return the mean loss of the true curve itself under the noise; None where it is unknown."""
    if curve.source != "formula" or loss not in ("l1", "l2"):
        return None
    return noise_floor_mae(curve.noise_std) if loss == "l1" else curve.noise_std**2


def scaled_points(run: Run) -> dict[str, np.ndarray]:
    """Return `train` and `test` points as float32 (n, 2) in scaled x and y, evenly thinned."""
    x_centre, x_scale, y_centre, y_scale = run.recording["scale"]
    found = {}
    for split, most in (run.most_points or MOST_POINTS).items():
        rows = run.points[run.points["split"] == split]
        rows = rows.iloc[:: max(math.ceil(len(rows) / most), 1)]
        x = np.log(rows["x"]) if run.architecture["log_x"] else rows["x"]
        pairs = np.stack([(x - x_centre) / x_scale, (rows["y"] - y_centre) / y_scale], axis=1)
        found[split] = pairs.astype(np.float32)
    return found


def true_curve(run: Run) -> dict[str, np.ndarray]:
    """Return the curve without noise at the places of the recording, scaled, float32 (g,); empty if it is unknown."""
    x_centre, x_scale, y_centre, y_scale = run.recording["scale"]
    if run.curve.source != "formula":
        return {"truth": np.empty(0, np.float32)}
    x = run.recording["u"] * x_scale + x_centre
    y = evaluate(run.curve.formula, np.exp(x) if run.architecture["log_x"] else x)
    return {"truth": ((y - y_centre) / y_scale).astype(np.float32)}
