"""The points of the curve: drawn from a formula, or read from the user's own CSV file."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from stages.common.artifacts import read_csv
from stages.common.errors import InputError
from stages.common.input_checks import check_table, is_file
from stages.common.settings import CurveParams
from stages.curve.formula import evaluate

COLUMNS = ["split", "x", "y", "truth"]
SPLITS = ("train", "test")
OUTLIER_SCALE = 10
WILD = 20
FEWEST_ROWS = 30
LARGEST = 1e100  # of x and y: its square is a number still


def draw_points(params: CurveParams) -> pd.DataFrame:
    """Points on the formula's curve under normal noise: x uniform in the range, y = f(x) + N(0, noise_std).

    The noise of a share `outlier_fraction` of the points is `OUTLIER_SCALE` times as large.

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
        noise[generator.random(count) < params.outlier_fraction] *= OUTLIER_SCALE
        tables.append(pd.DataFrame({"split": split, "x": x, "y": truth + noise, "truth": truth}))
    return pd.concat(tables, ignore_index=True)


def noise_floor_mae(noise_std: float, outlier_fraction: float = 0) -> float:
    """Return the mean absolute error of the true curve itself, std · √(2/π) under normal noise.

    No prediction can be better. The noise of a share `outlier_fraction` is `OUTLIER_SCALE` times as large.
    """
    return noise_std * math.sqrt(2 / math.pi) * (1 + outlier_fraction * (OUTLIER_SCALE - 1))


def split_points(points: pd.DataFrame, params: CurveParams) -> pd.DataFrame:
    """Measured points (columns x, y) dealt at random to train and test; their truth is unknown (NaN)."""
    held_out = max(round(len(points) * params.test_fraction), 1)
    order = np.random.default_rng(params.seed).permutation(len(points))
    split = np.full(len(points), "train", dtype=object)
    split[order[:held_out]] = "test"
    table = pd.DataFrame({"split": split, "x": points["x"], "y": points["y"], "truth": np.nan})
    return table.sort_values("split", key=lambda column: column.map(SPLITS.index), kind="stable", ignore_index=True)


def read_points(path: str) -> pd.DataFrame:
    """The columns x and y of a CSV file as float64.

    Raises `InputError` for a file that is missing, empty, no text, without these columns, too short, or with a value
    that is no finite number; the line is named.
    """
    if not is_file(path):
        raise InputError(f"params.yaml: curve.source = {path!r} is neither `formula` nor a CSV file")
    table = read_table(path, ("x", "y"))
    points = pd.DataFrame({column: finite_numbers(table[column], column, path) for column in ("x", "y")})
    if len(points) < FEWEST_ROWS:
        raise InputError(f"{path} has {len(points)} points, at least {FEWEST_ROWS} are needed")
    for column in points:
        if points[column].abs().max() > LARGEST:
            raise InputError(f"{path}: column {column} holds values beyond ±{LARGEST:g}: choose another unit")
    if points["x"].nunique() < 2:
        raise InputError(f"{path}: every x is {points['x'].iloc[0]:g}, a curve needs different ones")
    return points


def read_table(path: str, columns: Sequence[str]) -> pd.DataFrame:
    """A CSV file's rows as text, NaN where a field is empty; the index counts the lines after the first.

    Raises `InputError` for a file that is empty, no text, or has not each of `columns` once.
    """
    check_table(path)
    options = {"dtype": str, "keep_default_na": False, "na_values": [""], "skipinitialspace": True,
               "encoding": "utf-8-sig", "skip_blank_lines": False}  # fmt: skip
    try:
        first = pd.read_csv(path, header=None, nrows=1, **options)  # as a header, a name given twice would be changed
        table = pd.read_csv(path, **options)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty: it needs a first line `{','.join(columns)}` and a row for each point")
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, ValueError) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error}): save it with commas between columns")
    names = list(first.iloc[0])
    for column in columns:
        if names.count(column) != 1:
            found = ", ".join(str(name)[:40] for name in names[:8])
            raise InputError(f"{path} needs one column `{column}` in its first line; found: {found}")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first fields for names of rows
        raise InputError(f"{path} has rows with more fields than its first line")
    return table.dropna(how="all")  # blank lines


def finite_numbers(column: pd.Series, name: str, path: str) -> np.ndarray:
    """A text column of `read_table` as float64; an `InputError` names the line of the first that is no number."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        line, text = column.index[bad[0]] + 2, column.iloc[bad[0]]
        raise InputError(f"{path}: line {line}, column {name}: {str(text)[:40]!r} is no finite number")
    return numbers


def neighbour_medians(x: np.ndarray, y: np.ndarray, window: int = 9) -> np.ndarray:
    """Return the median y of the `window` points nearest in the order of x, for each point (n,) float64."""
    order = np.argsort(x, kind="stable")
    medians = pd.Series(y[order]).rolling(window, center=True, min_periods=1).median().to_numpy()
    result = np.empty_like(medians)
    result[order] = medians
    return result


def wild_x(x: np.ndarray) -> np.ndarray:
    """Return which x (n,) lie beyond a gap of `WILD` interquartile ranges from all others, bool; at most 1 % can."""
    order = np.argsort(x, kind="stable")
    low, high = np.quantile(x, [0.25, 0.75])
    gaps = np.flatnonzero(np.diff(x[order]) > WILD * (high - low)) if high > low else np.empty(0, int)
    few, wild = len(x) // 100, np.zeros(len(x), dtype=bool)
    for gap in gaps:
        if gap < few:
            wild[order[: gap + 1]] = True
        if len(x) - 1 - gap <= few:
            wild[order[gap + 1 :]] = True
    return wild


def wild_y(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which y (n,) are further from the median of their neighbours in x than `WILD` times nine tenths are."""
    distance = np.abs(y - neighbour_medians(x, y))
    reach = WILD * np.quantile(distance, 0.9)
    return (distance > reach) if reach > 0 else np.zeros(len(y), dtype=bool)


def read_curve(path: str) -> pd.DataFrame:
    """Read the points of generate_curve with the columns split, x, y, truth, whatever x and y are called there."""
    return read_csv(path).set_axis(COLUMNS, axis="columns")


def column_names(path: str) -> tuple[str, str]:
    """Return what x and y are called in the file of points."""
    _, x_name, y_name, _ = read_csv(path).columns
    return x_name, y_name
