"""Read CSV files that people bring: any usual separator, decimal commas, dates, with or without a header."""

import re
from io import StringIO

import numpy as np
import pandas as pd

from stages.common.errors import InputError
from stages.common.input_checks import check_table

DAYS = " (days since 1970-01-01)"  # follows the name of a column of dates, whose values are numbers of days
COMMA_NUMBER = r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
ANY_NUMBER = f"{NUMBER}|{COMMA_NUMBER}"
CLOCKS = ("", " %H:%M", " %H:%M:%S")
MOSTLY = 0.9  # a column holds numbers if this share of its fields are some


def read_text_table(path: str) -> pd.DataFrame:
    """Read a CSV file as text, NaN where a field is empty; the index holds the numbers of the lines.

    The separator is a semicolon, tab or bar if each of the first lines has one, else a comma, else white space. Numbers
    with decimal commas get points, unless commas separate the columns. Without a header the columns are x and y, or
    column 1, column 2, …

    Raises `InputError` for a file that is empty, no text, or has a row longer than its first.
    """
    check_table(path)
    text = _text(path)
    blank = len(text) - len(text.lstrip("\n"))  # lines before the first
    lines = [line for line in text.splitlines() if line.strip()][:20]
    empty = InputError(f"{path} is empty: it needs a first line such as `x,y` and a row for each point")
    if not lines:
        raise empty
    separator = _separator(lines)
    options = {"header": None, "dtype": "str", "keep_default_na": False, "na_values": [""], "skip_blank_lines": False}
    try:
        table = pd.read_csv(StringIO(text[blank:]), sep=separator, skipinitialspace=True, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(
            f"{path} is not a table ({error}): give every row as many fields as the first; "
            "if commas are decimal marks, separate the columns with semicolons"
        ) from None
    table = table.set_axis(table.index + 1 + blank)
    if re.search(r"[ \t][,;|\t\n]", text):  # seldom, and slow for thousands of columns
        table = table.apply(lambda column: column.str.strip().replace("", np.nan))
    table = table.dropna(how="all")
    if table.empty:
        raise empty
    if separator != ",":
        table = table.apply(lambda column: with_decimal_points(column, column.iloc[1:]))  # the first may be a header
    names = ["" if pd.isna(name) else str(name).lstrip("# ").rstrip() for name in table.iloc[0]]
    if _is_header(names, table.iloc[1:101]):
        return table.iloc[1:].set_axis(names, axis="columns")
    return table.set_axis(["x", "y"] if len(names) == 2 else [f"column {i + 1}" for i in range(len(names))], axis=1)


def with_decimal_points(column: pd.Series, rows: pd.Series) -> pd.Series:
    """Return a text column with points for decimal commas, and without points for thousands, if `rows` of it mostly
    hold numbers."""
    known = rows.dropna()
    if not known.str.contains(",", regex=False).any() or known.str.fullmatch(ANY_NUMBER).mean() < MOSTLY:
        return column
    points = column.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return column.where(~column.str.fullmatch(COMMA_NUMBER, na=False), points)


def numbers_of(column: pd.Series) -> pd.Series:
    """Return a text column as float64; NaN where a field is no number. Decimal commas are recognised."""
    return pd.to_numeric(with_decimal_points(column, column), errors="coerce").astype("float64")


def days_of(column: pd.Series) -> pd.Series | None:
    """Return a text column of dates as days since 1970-01-01, float64, NaN where a field is no date; None if it has no
    dates. Dates are ISO 8601, 31.12.2024 or, where the order is clear, 31/12/2024 or 12/31/2024."""
    readings = dates_of(column.dropna())
    return ((readings[0] - pd.Timestamp(0)) / pd.Timedelta(days=1)).reindex(column.index) if readings else None


def values_of(column: pd.Series, name: str, path: str) -> tuple[np.ndarray, str]:
    """Return a text column's numbers, or days of its dates, as float64 (n,), and its name.

    Raises `InputError` that names the line of the first field that is neither.
    """
    values = numbers_of(column)
    if values.notna().mean() < MOSTLY and (days := days_of(column)) is not None:
        if len(dates_of(column.dropna())) > 1:
            raise InputError(f"{path}: dates such as {column.iloc[0]!r} can be read in two ways: write 2024-12-31")
        values, name = days, name + DAYS
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        text = column.iloc[bad[0]]
        shown = "an empty field" if pd.isna(text) else repr(str(text)[:40])
        raise InputError(
            f"{path}: line {column.index[bad[0]]}, column {name[:60]}: {shown} is no finite number; "
            "correct the row or take it out"
        )
    return values.to_numpy(np.float64), name


def holds_values(column: pd.Series) -> bool:
    """Return whether a text column mostly holds numbers or dates."""
    return numbers_of(column).notna().mean() >= MOSTLY or days_of(column) is not None


def dates_of(known: pd.Series) -> list[pd.Series]:
    """Return the dates of a text column without gaps, NaT where a field is none, in the format that most fields have.

    Two columns of dates if the order of day and month is not clear; none if there are no dates.
    """
    if known.empty or known.str.match(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}").mean() < MOSTLY:
        return []

    def read(form: str, column: pd.Series = known) -> pd.Series:
        dates = pd.to_datetime(column, format=form, errors="coerce", utc=True)
        return dates.dt.tz_localize(None)

    for forms in (["ISO8601"], ["%Y/%m/%d"], ["%d.%m.%Y"], ["%d/%m/%Y", "%m/%d/%Y"], ["%d-%m-%Y", "%m-%d-%Y"]):
        clocks = ("",) if forms == ["ISO8601"] else CLOCKS
        found = [dates for form in forms for clock in clocks if (dates := read(form + clock)).notna().mean() >= MOSTLY]
        whole = [dates for dates in found if dates.notna().all()] or found
        if whole:
            return whole[:1] if whole[0].equals(whole[-1]) else whole
    return []


def _is_header(names: list[str], rows: pd.DataFrame) -> bool:
    """Return whether a first row names the columns.

    It does if it holds no number, if the numbers of three columns or more count them (pandas writes 0, 1, 2, …), or if
    text stands above a column of numbers.
    """
    numbers = pd.to_numeric(pd.Series(names, dtype="str"), errors="coerce").dropna()
    if numbers.empty or (len(numbers) > 2 and (numbers.diff().dropna() == 1).all()):
        return True
    texts = [i for i, name in enumerate(names) if name and i not in numbers.index]
    return any(rows[i].str.fullmatch(NUMBER).mean() >= MOSTLY for i in texts)


def _separator(lines: list[str]) -> str:
    unquoted = [re.sub(r'"[^"]*"', "", line) for line in lines]
    for separator in ";\t|":
        if all(separator in line for line in unquoted):
            return separator
    spaced = all(re.search(r"\S\s+\S", line) for line in unquoted)
    return r"\s+" if spaced and not any("," in line for line in unquoted) else ","


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    for encoding in ("utf-8-sig", "cp1252"):  # Excel writes the second
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path} is not a text file: save it as CSV in UTF-8")
