"""Make the page that plays the training of the regressor back."""

from stages.common.artifacts import read_architecture, read_arrays, write_text
from stages.common.errors import run
from stages.common.settings import load_params
from stages.curve.points import read_curve
from stages.curve_page.curve_page import Run, curve_page, name_of_run


def main() -> None:
    architecture, params = read_architecture("data/regressor.safetensors"), load_params("regressor")
    training = Run(
        name_of_run(params),
        read_arrays("data/regressor_recording.npz"),
        architecture,
        params.model_dump(),
        read_curve("data/curve.csv"),
        load_params("curve"),
    )
    write_text("plots/curve.html", curve_page([training]))


if __name__ == "__main__":
    run(main)
