"""Fit the network to the training points."""

from stages.common.artifacts import read_csv, write_csv, write_weights
from stages.common.checkpoint import run_checkpoint
from stages.common.errors import run
from stages.common.settings import load_params
from stages.regressor.network import arrays_of
from stages.regressor.training import train


def main() -> None:
    params, points = load_params("regressor"), read_csv("data/curve.csv")
    rows = points[points["split"] == "train"]
    network, history = train(rows["x"].to_numpy(), rows["y"].to_numpy(), params, run_checkpoint())
    architecture = {**network.architecture, "layers": network.layer_sizes(), "loss": params.loss}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    write_csv("data/regressor_history.csv", history)


if __name__ == "__main__":
    run(main)
