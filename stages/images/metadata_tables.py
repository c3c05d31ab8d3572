"""Tables that people bring: CSV, JSON lines or Parquet, with each column's type found."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.csv_dialects import dates_of, read_text_table
from stages.common.errors import InputError
from stages.common.input_checks import MOST_UNPACKED, is_file

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
# A number of a table: longer integers do not fit into a float64 and are names; so are those that begin with a zero.
NUMBER = r"[+-]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+|\d+\.\d*)(?:[eE][+-]?\d+)?"
MOST_NUMBERS = 20  # classes that are numbers
TEXT_COLUMNS = ("label", "labels", "class", "target", "split", "file_name", "image", "name", "title")
MISSING_NUMBERS = ("nan", "na", "n/a", "null", "none", "inf", "-inf", "infinity", "-infinity")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; the columns of a CSV file are decimals or text, those of other formats have types.

    Only empty fields of a CSV file are missing: `None`, `NA` and `null` are text. Raises `InputError` that names the
    file.
    """
    if not is_file(str(path)):
        raise InputError(f"{path} is missing or no file")
    readers = {".jsonl": _read_json_lines, ".parquet": _read_parquet}
    table = readers.get(path.suffix.lower(), _read_csv)(path)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path} has more than one column {str(twice[0])[:60]!r}: give each a name of its own")
    return table


def typed(column: pd.Series) -> pd.Series:
    """Return a column with its type: numbers, dates, categories (text that repeats), or text.

    Text becomes numbers only if every field is one and none begins with a zero, as codes such as `01` do.
    """
    if column.dtype == bool or pd.api.types.is_object_dtype(column):
        column = column.map(_as_text).astype("str")
    if not pd.api.types.is_string_dtype(column):
        return column
    if (numbers := numbers_of(column)) is not None:
        return numbers
    known = column.dropna()
    if len(dates := dates_of(known)) == 1 and dates[0].notna().all():
        return dates[0].reindex(column.index)
    is_category = known.nunique() <= max(len(known) / 2, 1) and known.str.len().max() <= 200
    return column.astype("category") if is_category else column


def numbers_of(column: pd.Series) -> pd.Series | None:
    """Return a column as numbers, NaN where it is missing; None if some field is another text, or all are missing."""
    if pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
        return column
    if not pd.api.types.is_string_dtype(column):
        return None
    text = column.str.strip()
    text = text.where(~text.str.lower().isin(MISSING_NUMBERS))
    known = text.dropna()
    if known.empty or not known.str.fullmatch(NUMBER).all():
        return None
    return pd.to_numeric(text)


def classes_of_text(labels: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return class indices (n,) int64, -1 where missing, and the classes: in alphabetical order, numbers by number."""
    text = labels.map(_as_text).astype("object")
    known = text.notna().to_numpy()
    classes = sorted(set(text[known]))
    if classes and (numbers := pd.to_numeric(pd.Series(classes), errors="coerce")).notna().all():
        classes = [classes[i] for i in np.argsort(numbers.to_numpy(), kind="stable")]
    if all(re.fullmatch(r"-?\d+\.0", name) for name in classes):  # whole numbers, as pandas writes them with gaps
        classes, text = [name[:-2] for name in classes], text.str[:-2]
    indices = np.full(len(labels), -1)
    indices[known] = pd.Index(classes).get_indexer(text[known])
    return indices, classes


def hint_at_numbers(classes: list[str], rows: int, path: Path) -> None:
    """Say so if the classes of so many rows are numbers that hardly repeat: measurements rather than classes."""
    numbers = pd.to_numeric(pd.Series(classes, dtype="str"), errors="coerce").notna()
    if len(classes) > max(rows / 2, MOST_NUMBERS) and numbers.all():
        print(f"{path}: `label` has {len(classes)} different numbers: if they are no classes, rename the column")


def splits_of(column: pd.Series, path: Path) -> np.ndarray:
    """Return a column `split` as `train` or `test` (n,); validation rows count as test. Raises `InputError`."""
    text = column.map(_as_text).fillna("train").astype("str").str.strip().str.lower()
    split = text.map(SPLITS)
    if split.isna().any():
        wrong = text[split.isna()].iloc[0]
        raise InputError(f"{path}: column `split` holds {wrong[:60]!r}; known are {', '.join(SPLITS)}")
    return split.to_numpy(dtype=str)


SPLITS = {
    "train": "train",
    "training": "train",
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "dev", "eval"), "test"),
}


def _as_text(value: object) -> str | None:
    """Return a label or a nested value as text; integral floats without their `.0`, missing values as None."""
    if isinstance(value, list | dict | np.ndarray):
        return json.dumps(value, ensure_ascii=False, default=lambda inner: getattr(inner, "tolist", inner.__str__)())
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _read_csv(path: Path) -> pd.DataFrame:
    table = read_text_table(str(path)).reset_index(drop=True)
    table = table.loc[:, [name != "" or table.iloc[:, i].notna().any() for i, name in enumerate(table)]]
    if "column 1" in table:
        print(f"{path} has no header: its columns are called `column 1`, `column 2`, …")
    columns = {i: _decimals(table, i) if name not in TEXT_COLUMNS else table.iloc[:, i] for i, name in enumerate(table)}
    return pd.DataFrame(columns, index=table.index).set_axis(table.columns, axis="columns")


def _decimals(table: pd.DataFrame, i: int) -> np.ndarray | pd.Series:
    """Return a text column of decimals as numbers, others as they are: integers may be codes such as 01."""
    try:
        numbers = pd.to_numeric(table.iloc[:, i].array)
    except (ValueError, TypeError):
        return table.iloc[:, i]
    has_decimals = numbers.dtype == np.float64 and (numbers[~np.isnan(numbers)] % 1 != 0).any()
    return numbers if has_decimals else table.iloc[:, i]


def _read_json_lines(path: Path) -> pd.DataFrame:
    rows = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for line in filter(str.strip, file):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"but a {type(row).__name__}: write one object on each line")
                rows.append(row)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as JSON lines in UTF-8 ({error})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: row {len(rows) + 1} is not a JSON object ({error})") from None
    return pd.DataFrame(rows)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            held = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if held > 8 * MOST_UNPACKED:
                raise InputError(f"{path} holds {held:,} bytes unpacked, at most {8 * MOST_UNPACKED:,} are read")
            return file.read().to_pandas(ignore_metadata=True)
    except InputError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise InputError(f"{path} cannot be read as Parquet ({error})") from None
