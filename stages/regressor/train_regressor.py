"""Fit the network to the training points."""

from stages.common.artifacts import write_csv, write_weights
from stages.common.errors import run
from stages.common.settings import load_params
from stages.curve.points import column_names, read_curve
from stages.regressor.network import arrays_of
from stages.regressor.training import train


def main() -> None:
    params, log_x = load_params("regressor"), load_params("curve.x_scale") == "log"
    points = read_curve("data/curve.csv")
    rows = points[points["split"] == "train"]
    network, history = train(rows["x"].to_numpy(), rows["y"].to_numpy(), params, log_x)
    x_name, y_name = column_names("data/curve.csv")
    architecture = {**network.architecture, "loss": params.loss, "x_name": x_name, "y_name": y_name}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    write_csv("data/regressor_history.csv", history)


if __name__ == "__main__":
    run(main)
