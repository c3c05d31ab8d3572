"""`fitmap predict`: y at new x, with the 90 % band, from the regressor that the pipeline trained."""

import math
import sys

import numpy as np
import pandas as pd

from stages.common.artifacts import read_weights, write_csv
from stages.common.errors import InputError
from stages.common.input_checks import is_file
from stages.curve.points import finite_numbers, read_table
from stages.regressor.network import Regressor, network_from, predict


def predict_values(values: list[str], csv: str | None, out: str | None, as_json: bool) -> None:
    """Predict at the numbers in `values`, or at column x of the file `csv`, whose other columns are kept.

    The table goes into the file `out` or to stdout, there as JSON if so asked. Raises `InputError` for what is no
    finite number, and says on stderr how many x lie outside the training range.
    """
    if bool(values) == bool(csv):
        raise InputError("predict needs values of x, as in `fitmap predict 1.5 2 3.7`, or --csv FILE, and not both")
    table = _read_csv(csv) if csv else pd.DataFrame({"x": [_number(value) for value in values]})
    network = network_from(*read_weights("data/regressor.safetensors"))
    y, lower, upper = predict(network, table["x"])
    table = table.assign(y=y, lower=lower, upper=upper)
    _warn_outside(network, table["x"].to_numpy())
    if out:
        write_csv(out, table)
    elif as_json:
        print(table.to_json(orient="records", double_precision=15))
    elif csv:
        print(table.to_csv(index=False), end="")
    else:
        print(table.to_string(index=False, float_format="%.6g"))


def _read_csv(path: str) -> pd.DataFrame:
    """The file's table, x as float64 and every other column as the text it is."""
    if not is_file(path):
        raise InputError(f"{path} is missing: --csv takes a file with a column `x`")
    table = read_table(path, ["x"])
    if taken := [name for name in ("y", "lower", "upper") if name in table.columns]:
        raise InputError(f"{path} has a column `{taken[0]}` already, which the prediction would replace: rename it")
    return table.assign(x=finite_numbers(table["x"], "x", path))


def _number(text: str) -> float:
    """The finite number that an argument is."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{text[:40]!r} is no finite number: values of x look like 1.5 or -2e-3")
    return number


def _warn_outside(network: Regressor, x: np.ndarray) -> None:
    low, high = float(network.x_low), float(network.x_high)
    outside = int(((x < low) | (x > high)).sum())
    if outside:
        print(
            f"fitmap: {outside} of {len(x)} x outside the training range {low:g} … {high:g}: "
            "there the fit is a guess and the band does not hold",
            file=sys.stderr,
        )
