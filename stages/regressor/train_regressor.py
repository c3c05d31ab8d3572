"""Fit the network to the training points, and record how it learns."""

from stages.common.artifacts import write_arrays, write_weights
from stages.common.errors import run
from stages.common.loss_table import LossTable
from stages.common.settings import load_params
from stages.curve.points import column_names, read_curve
from stages.regressor.network import arrays_of
from stages.regressor.recording import Recorder
from stages.regressor.training import HISTORY, train


def main() -> None:
    params, log_x = load_params("regressor"), load_params("curve.x_scale") == "log"
    points = read_curve("data/curve.csv")
    rows = points[points["split"] == "train"]
    recorder, losses = Recorder(), LossTable("plots/regressor_loss.csv", HISTORY)
    losses([])
    network, history = train(rows["x"].to_numpy(), rows["y"].to_numpy(), params, log_x, recorder, losses)
    x_name, y_name = column_names("data/curve.csv")
    architecture = {**network.architecture, "loss": params.loss, "x_name": x_name, "y_name": y_name}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    write_arrays("data/regressor_recording.npz", **recorder.arrays(network, history))


if __name__ == "__main__":
    run(main)
