"""Draw the points of the curve, or read the user's own."""

import sys

from stages.common.artifacts import write_csv
from stages.common.csv_dialects import DAYS
from stages.common.errors import run
from stages.common.settings import load_params
from stages.curve.points import draw_points, hints, read_points, split_points, wild_rows


def main() -> None:
    params = load_params("curve")
    if params.source == "formula":
        points = draw_points(params)
    else:
        own = read_points(params.source, params.x_column, params.y_column)
        if [name.removesuffix(DAYS) for name in own.columns] != ["x", "y"]:
            x_name, y_name = (name or "the column without a name" for name in own.columns)
            print(f"fitmap: x is {x_name}, y is {y_name} of {params.source}", file=sys.stderr)
        for line in hints(own, params):
            print(f"fitmap: {line}", file=sys.stderr)
        points = split_points(own[~wild_rows(own, params)], params)
    write_csv("data/curve.csv", points)


if __name__ == "__main__":
    run(main)
