"""Draw the points of the curve, or read the user's own."""

from stages.common.artifacts import write_csv
from stages.common.errors import run
from stages.common.settings import load_params
from stages.curve.points import draw_points, read_points, split_points


def main() -> None:
    params = load_params("curve")
    if params.source == "formula":
        points = draw_points(params)
    else:
        points = split_points(read_points(params.source), params)
    write_csv("data/curve.csv", points)


if __name__ == "__main__":
    run(main)
