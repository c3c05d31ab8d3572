"""The points of the curve: drawn from a formula, or read from the user's own CSV file."""

import math

import numpy as np
import pandas as pd

from stages.common.artifacts import read_csv
from stages.common.csv_dialects import MOSTLY, holds_values, numbers_of, read_text_table, values_of
from stages.common.errors import InputError
from stages.common.input_checks import is_file
from stages.common.settings import CurveParams
from stages.curve.formula import evaluate

COLUMNS = ["split", "x", "y", "truth"]
SPLITS = ("train", "test")
AUTO = "auto"
FORMULA = "0.5*x**3 - 0.5*x**2 - 90*sin(x**2) + 1"  # of params.yaml as it is delivered
WILD = 20  # times the usual distance
MOST_WILD = 0.05  # share of x that can be wild
FEW_VALUES = 10  # of y
CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?"
FEWEST_ROWS = 20
LARGEST = 1e100  # of x and y: its square is a number still


def draw_points(params: CurveParams) -> pd.DataFrame:
    """Draw points under normal noise: x uniform in the range, y = f(x) + N(0, noise_std).

    Returns columns split, x, y, truth (the curve without noise), float64. Each split has a generator of its own, so
    the number of points in one does not change the others.
    """
    counts = (params.samples, params.test_samples)
    tables = []
    for stream, (split, count) in enumerate(zip(SPLITS, counts, strict=True)):
        generator = np.random.default_rng([params.seed, stream])
        x = generator.uniform(params.x_min, params.x_max, count)
        truth = evaluate(params.formula, x)
        if np.abs(truth).max() > LARGEST:
            raise InputError(f"params.yaml: curve.formula goes beyond ±{LARGEST:g}: scale it down")
        noise = generator.normal(0, params.noise_std, count)
        tables.append(pd.DataFrame({"split": split, "x": x, "y": truth + noise, "truth": truth}))
    return pd.concat(tables, ignore_index=True)


def noise_floor_mae(noise_std: float) -> float:
    """Return the mean absolute error of the true curve itself, std · √(2/π) under normal noise.

    No prediction can be better.
    """
    return noise_std * math.sqrt(2 / math.pi)


def split_points(points: pd.DataFrame, params: CurveParams) -> pd.DataFrame:
    """Deal measured points (columns of x and y) at random to train and test; their truth is unknown (NaN)."""
    held_out = max(round(len(points) * params.test_fraction), 1)
    order = np.random.default_rng(params.seed).permutation(len(points))
    split = np.full(len(points), "train", dtype=object)
    split[order[:held_out]] = "test"
    rows = np.argsort(split == "test", kind="stable")  # training rows first
    x_name, y_name = points.columns
    table = pd.DataFrame({0: split, 1: points[x_name].to_numpy(), 2: points[y_name].to_numpy(), 3: np.nan})
    return table.iloc[rows].set_axis(["split", x_name, y_name, "truth"], axis="columns")


def read_points(path: str, x_column: str = AUTO, y_column: str = AUTO) -> pd.DataFrame:
    """Read x and y of a CSV file as float64 under their own names; the index holds the numbers of the lines.

    Raises `InputError` for a file that is missing, no table, without these columns, too short, or with a value that is
    no finite number; the line is named.
    """
    if not is_file(path):
        raise InputError(f"params.yaml: curve.source = {path!r} is neither `formula` nor a CSV file")
    table = read_text_table(path)
    if len(table) < FEWEST_ROWS:
        raise InputError(f"{path} has {len(table)} points, at least {FEWEST_ROWS} are needed")
    columns = {}
    for name in choose_columns(table, x_column, y_column, path):
        values, name = values_of(table[name], name, path)
        if np.abs(values).max() > LARGEST:
            raise InputError(f"{path}: column {name} holds values beyond ±{LARGEST:g}: choose another unit")
        columns[name] = values
    points = pd.DataFrame(columns, index=table.index)
    if points.iloc[:, 0].nunique() < 2:
        raise InputError(f"{path}: every x is {points.iloc[0, 0]:g}, a curve needs different ones")
    return points


def choose_columns(table: pd.DataFrame, x_column: str, y_column: str, path: str) -> tuple[str, str]:
    """Return the names of the columns of x and y: those asked for, else `x` and `y`, else the first two of numbers.

    A first column that only counts the rows, or is called id, is left out if there are two others. Raises `InputError`.
    """
    names = list(table.columns)
    for key, name in (("x_column", x_column), ("y_column", y_column)):
        if name != AUTO and names.count(name) != 1:
            raise InputError(f"params.yaml: curve.{key} = {name!r} names {names.count(name) or 'no'} column of {path}; "
                             f"its columns: {', '.join(str(n)[:40] for n in names[:8])}")  # fmt: skip
    if x_column == y_column != AUTO:
        raise InputError(f"params.yaml: curve.x_column and curve.y_column are both {x_column!r}: name two columns")
    free = [name for name in dict.fromkeys(names) if names.count(name) == 1 and name not in (x_column, y_column)]
    numeric = [name for name in free if holds_values(table[name])]
    if len(numeric) > (x_column == AUTO) + (y_column == AUTO) and counts_rows(table[numeric[0]], numeric[0]):
        numeric = numeric[1:]
    chosen = []
    for letter, name in (("x", x_column), ("y", y_column)):
        if name == AUTO:
            called = [n for n in (letter, letter.upper()) if n in free]
            name = next((n for n in called or numeric if n not in chosen and (called or n not in [*"xyXY"])), None)
        if name is None:
            shown = ", ".join(str(n)[:40] for n in names[:8]) + _no_values(table, free, numeric)
            raise InputError(f"{path} needs one column `{letter}`, or set curve.{letter}_column; its columns: {shown}")
        chosen.append(name)
    if x_column == AUTO:
        _refuse_clocks(table, chosen, path)
    return chosen[0], chosen[1]


def _no_values(table: pd.DataFrame, free: list[str], numeric: list[str]) -> str:
    """Return in words what the first column that is neither numbers nor dates holds instead; empty if none has text."""
    for name in free:
        if name not in numeric and table[name].notna().any():
            text = str(table[name].dropna().iloc[0])[:40]
            return f"; {str(name)[:40]} holds neither numbers nor dates such as 2024-12-31 14:00, but {text!r}"
    return ""


def _refuse_clocks(table: pd.DataFrame, chosen: list[str], path: str) -> None:
    """Raise `InputError` if x are dates that repeat and another column holds the times of day."""
    x = table[chosen[0]]
    if x.nunique() == len(x) or numbers_of(x).notna().any():
        return
    for name in dict.fromkeys(table.columns):
        if name not in chosen and table[[name]].iloc[:, 0].str.fullmatch(CLOCK).mean() > MOSTLY:
            raise InputError(f"{path}: column {chosen[0]} has the date and {name} the time: join them into one column, "
                             "such as 2024-12-31 14:00, or set curve.x_column")  # fmt: skip


def counts_rows(column: pd.Series, name: str) -> bool:
    """Return whether a column counts the rows, from 0 or 1, or is called id."""
    if name.lower() in ("id", "index") or name.lower().endswith("_id"):
        return True
    numbers = numbers_of(column).to_numpy()
    return any(np.array_equal(numbers, np.arange(start, start + len(numbers))) for start in (0, 1))


def hints(points: pd.DataFrame, params: CurveParams) -> list[str]:
    """Say in a line each what a user should know about measured points: wild rows, decades of x, few values of y."""
    x, y = points.iloc[:, 0].to_numpy(), points.iloc[:, 1].to_numpy()
    lines = []
    if params.formula != FORMULA:
        lines.append(f"curve.formula has no effect: the points come from {params.source}")
    left_out = wild_rows(points, params)
    for name, wild, effect in (
        (points.columns[0], left_out, "they are left out"),
        (
            points.columns[1],
            wild_y(x, y) & ~left_out,
            "with loss l1 single ones do not move the fit, and the scores leave them out",
        ),
    ):
        if wild.any():
            rows = ", ".join(str(line) for line in points.index[wild][:10]) + (", …" if wild.sum() > 10 else "")
            example = points[name].to_numpy()[wild][0]
            lines.append(
                f"{params.source}: {wild.sum()} of {len(x):,} values of {name} are wild, such as {example:g}: "
                f"check lines {rows}; {effect}"
            )
    usual = x[~left_out]
    positive = usual[usual > 0]
    if params.x_scale == "linear" and len(positive) >= (1 - MOST_WILD) * len(usual):
        low, middle, high = positive.min(), np.median(positive), positive.max()
        if high / low > 100 and middle - low < 0.05 * (high - low):
            zeros = " and take out the rows where it is not positive" if len(positive) < len(usual) else ""
            lines.append(f"{points.columns[0]} spans {np.log10(high / low):.1f} decades, most of it near {low:g}: "
                         f"set curve.x_scale to log{zeros}")  # fmt: skip
    values = len(np.unique(y))
    if values == 1:
        lines.append(f"every {points.columns[1]} is {y[0]:g}: there is nothing to learn")
    elif 2 < values <= min(FEW_VALUES, len(y) // 20) and (y == np.round(y)).all():
        lines.append(f"{points.columns[1]} has {values} different values: loss l1 fits their median, one of them; "
                     "set regressor.loss to l2 for their mean")  # fmt: skip
    elif values == 2:
        lines.append(f"{points.columns[1]} has two values: loss l1 fits their median, one of the two; "
                     "set regressor.loss to l2 for their mean, the share of each")  # fmt: skip
    return lines


def neighbour_medians(x: np.ndarray, y: np.ndarray, window: int = 9) -> np.ndarray:
    """Return the median y of the `window` points nearest in the order of x, for each point (n,) float64."""
    order = np.argsort(x, kind="stable")
    medians = pd.Series(y[order]).rolling(window, center=True, min_periods=1).median().to_numpy()
    result = np.empty_like(medians)
    result[order] = medians
    return result


def wild_rows(points: pd.DataFrame, params: CurveParams) -> np.ndarray:
    """Return which rows of measured points (n,) bool are left out because their x is wild.

    Raises `InputError` if x has no logarithm that it needs.
    """
    x = points.iloc[:, 0].to_numpy()
    if params.x_scale == "log" and x.min() <= 0:
        raise InputError(
            f"{params.source}: line {points.index[x.argmin()]}: {points.columns[0]} = {x.min():g} has no logarithm: "
            "take out the rows where it is not positive, or set curve.x_scale to linear"
        )
    return wild_x(np.log(x) if params.x_scale == "log" else x)


def wild_x(x: np.ndarray) -> np.ndarray:
    """Return which x (n,) lie beyond a gap of `WILD` interquartile ranges from all others, bool; at most 5 % can."""
    order = np.argsort(x, kind="stable")
    low, high = np.quantile(x, [0.25, 0.75])
    gaps = np.flatnonzero(np.diff(x[order]) > WILD * (high - low)) if high > low else np.empty(0, int)
    few, wild = int(MOST_WILD * len(x)), np.zeros(len(x), dtype=bool)
    for gap in gaps:
        if gap < few:
            wild[order[: gap + 1]] = True
        if len(x) - 1 - gap <= few:
            wild[order[gap + 1 :]] = True
    return wild


def wild_y(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which y (n,) are further from the median of their neighbours in x than `WILD` times nine tenths are.

    A value that stands for a missing one, such as -9999, may fill a whole stretch of x: a value that repeats is also
    wild if it is as far from the median of all.
    """
    _, place, count = np.unique(y, return_inverse=True, return_counts=True)
    wild = np.zeros(len(y), dtype=bool)
    for middle, able in ((neighbour_medians(x, y), True), (np.median(y), count[place] > 2)):
        distance = np.abs(y - middle)
        reach = WILD * np.quantile(distance, 0.9)
        wild |= able & (distance > reach) & (reach > 0)
    return wild


def read_curve(path: str) -> pd.DataFrame:
    """Read the points of generate_curve with the columns split, x, y, truth, whatever x and y are called there."""
    return read_csv(path).set_axis(COLUMNS, axis="columns")


def column_names(path: str) -> tuple[str, str]:
    """Return what x and y are called in the file of points."""
    _, x_name, y_name, _ = read_csv(path).columns
    return x_name, y_name
