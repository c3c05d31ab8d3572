"""One experiment: the stages of the curve's branch as `dvc repro` runs them, once for each seed, in one process.

Starting Python and torch takes longer than so small a network trains. Reads params.yaml (sections curve and regressor,
and `seeds`), writes results/*.csv, each with a column `seed`:

- runs: metrics/regressor.json, `hidden_units`, and `validation_loss`, the least of all epochs
- history: data/regressor_history.csv
- fit: x, fit and truth on a dense grid
- polygon: x and y of the ends of the fit's straight pieces; no rows where it has curves
"""

from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml

from stages.common.artifacts import read_csv, read_json, read_weights, write_csv, write_text
from stages.common.errors import run
from stages.curve.generate_curve import main as generate_curve
from stages.regressor.network import Regressor, network_from, predict
from stages.regressor.train_regressor import main as train_regressor
from stages.regressor.units import breakpoints
from stages.scores.evaluate_regressor import main as evaluate_regressor


def measure(params: dict, seed: int) -> dict[str, pd.DataFrame]:
    """Run the branch in the current folder with `seed` for the points and the network; the tables by name."""
    seeded = {section: {**values, "seed": seed} for section, values in params.items()}
    write_text("params.yaml", yaml.safe_dump(seeded))
    for stage in (generate_curve, train_regressor, evaluate_regressor):
        stage()
    network = network_from(*read_weights("data/regressor.safetensors"))
    history, fit = read_csv("data/regressor_history.csv"), read_csv("plots/regressor_fit.csv")
    scores = {
        **read_json("metrics/regressor.json"),
        "hidden_units": sum(network.architecture["hidden_layers"]) * network.architecture["ensemble_size"],
        "validation_loss": history["validation_loss"].min(),
    }
    lines = {series: rows.reset_index() for series, rows in fit.groupby("series")}
    fit = pd.DataFrame({"x": lines["fit"]["x"], "fit": lines["fit"]["y"], "truth": lines["true curve"]["y"]})
    tables = {"runs": pd.DataFrame([scores]), "history": history, "fit": fit, "polygon": polygon(network)}
    return {name: table.assign(seed=seed) for name, table in tables.items()}


def polygon(network: Regressor) -> pd.DataFrame:
    """Where the fit's straight pieces end, the ends of the training range included (columns x, y)."""
    ends = float(network.x_low), float(network.x_high)
    kinks = breakpoints(network, *ends)
    x = np.empty(0) if kinks is None else np.array([ends[0], *kinks, ends[1]])
    return pd.DataFrame({"x": x, "y": predict(network, x)[0]})


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    seeds = range(params.pop("seeds"))
    with TemporaryDirectory() as folder, chdir(folder):
        measured = [measure(params, seed) for seed in seeds]
    for name in measured[0]:
        write_csv(f"results/{name}.csv", pd.concat([tables[name] for tables in measured]))


if __name__ == "__main__":
    run(main)
