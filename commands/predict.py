"""`fitmap predict`: y at new x, with the 90 % band, from the regressor that the pipeline trained."""

import sys

import numpy as np
import pandas as pd

from stages.common.artifacts import read_weights
from stages.common.csv_dialects import DAYS, dates_of, days_of, numbers_of, read_text_table, values_of
from stages.common.errors import InputError
from stages.common.input_checks import is_file
from stages.regressor.network import Regressor, network_from, predict


def predict_values(values: list[str], csv: str | None, as_json: bool) -> None:
    """Predict at the numbers in `values`, or at the column of x of the file `csv`, whose columns are all kept.

    Prints a table, as CSV if x come from a file, as JSON if so asked. Raises `InputError` for what is no
    finite number, and says on stderr how many x lie outside the training range.
    """
    if bool(values) == bool(csv):
        raise InputError("predict needs values of x, as in `fitmap predict 1.5 2 3.7`, or --csv FILE, and not both")
    network = network_from(*read_weights("data/regressor.safetensors"))
    name, dates = network.architecture["x_name"].removesuffix(DAYS), network.architecture["x_name"].endswith(DAYS)
    if csv:
        table = _read_csv(csv, name)
        x = values_of(table[name], name, csv, dates)[0]
        table = table if dates else table.assign(**{name: x})
    else:
        x = np.array([_number(value, dates) for value in values])
        table = pd.DataFrame({name: values if dates else x})
    if network.architecture["log_x"] and x.min(initial=1) <= 0:
        raise InputError(f"{name} = {x.min():g} is not positive: the curve was fitted to the logarithm of {name}")
    for column, result in zip([network.architecture["y_name"], "lower", "upper"], predict(network, x), strict=True):
        table[f"{column}_fit" if column in table.columns else column] = result
    _warn_outside(network, x)
    if as_json:
        print(table.to_json(orient="records", double_precision=15))
    elif csv:
        print(table.to_csv(index=False), end="")
    else:
        print(table.to_string(index=False, float_format="%.6g"))


def _read_csv(path: str, name: str) -> pd.DataFrame:
    """Read the file's table as text; it must have the column `name` once."""
    if not is_file(path):
        raise InputError(f"{path} is missing: --csv takes a file with a column `{name}`")
    table = read_text_table(path)
    if len(table.columns) == 1 and name not in table.columns and table.columns[0] == "column 1":
        table.columns = [name]  # a file of numbers without a header
    if list(table.columns).count(name) != 1:
        found = ", ".join(str(column)[:40] for column in table.columns[:8])
        raise InputError(f"{path} needs one column `{name}` in its first line; found: {found}")
    return table


def _number(text: str, dates: bool) -> float:
    """Return the finite number that an argument is, or the days of a date if x are `dates`."""
    column = pd.Series([text.strip()], dtype="str")
    number = float(numbers_of(column).iloc[0])
    if dates and (days := days_of(column)) is not None:
        if len(dates_of(column)) > 1:
            raise InputError(f"{text[:40]!r} can be read in two ways: write 2024-12-31")
        number = float(days.iloc[0])
    if not np.isfinite(number):
        raise InputError(f"{text[:40]!r} is no finite number: values of x look like 1.5 or -2e-3")
    return number


def _warn_outside(network: Regressor, x: np.ndarray) -> None:
    low, high = float(network.x_low), float(network.x_high)
    outside = int(((x < low) | (x > high)).sum())
    if outside:
        print(
            f"fitmap: {outside} of {len(x)} x outside the training range {low:g} … {high:g}: "
            "there the fit is a straight line and the band does not hold",
            file=sys.stderr,
        )
