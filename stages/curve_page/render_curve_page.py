"""Make the page that plays the training of the regressor back."""

from stages.common.artifacts import read_arrays, read_weights, write_text
from stages.common.errors import run
from stages.common.settings import load_params
from stages.curve.points import read_curve
from stages.curve_page.curve_page import Run, curve_page, name_of_run
from stages.curve_page.playback import playback
from stages.regressor.network import network_from


def main() -> None:
    params, regressor = load_params("regressor"), network_from(*read_weights("data/regressor.safetensors"))
    training = Run(
        name_of_run(params),
        playback(read_arrays("data/regressor_recording.npz"), regressor),
        regressor.architecture,
        params.model_dump(),
        read_curve("data/curve.csv"),
        load_params("curve"),
    )
    write_text("plots/curve.html", curve_page([training]))


if __name__ == "__main__":
    run(main)
