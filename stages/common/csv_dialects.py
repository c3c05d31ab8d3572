"""Read CSV files that people bring: any usual separator, decimal commas, dates, with or without a header."""

import re
from io import StringIO

import numpy as np
import pandas as pd

from stages.common.errors import InputError
from stages.common.input_checks import check_table

DAYS = " (days since 1970-01-01)"  # follows the name of a column of dates, whose values are numbers of days
COMMA_NUMBER = r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?"
THOUSANDS = r"[+-]?\d{1,3}(?:,\d{3})+\.\d+"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
ANY_NUMBER = f"{NUMBER}|{COMMA_NUMBER}|{THOUSANDS}"
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
COMPACT_DATE = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
DATE = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{4}-\d\d$|\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{4}|[A-Z][a-z]{2} \d{1,2},? \d{4}"
FORMS = (
    ["ISO8601"],
    ["%Y/%m/%d"],
    ["%d.%m.%Y"],
    ["%d/%m/%Y", "%m/%d/%Y"],
    ["%d-%m-%Y", "%m-%d-%Y"],
    ["%d %b %Y"],
    ["%d-%b-%Y"],
    ["%b %d %Y"],
    ["%b %d, %Y"],
)  # those of one list differ in the order of day and month
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
    text = _without_remarks(text)
    blank = len(text) - len(text.lstrip("\n"))  # lines before the first
    lines = [line for line in text.splitlines() if line.strip()][:20]
    empty = InputError(f"{path} is empty: it needs a first line such as `x,y` and a row for each point")
    if not lines:
        raise empty
    separator = _separator(lines)
    text = _with_header_of_all(text, lines, separator)
    options = {"header": None, "dtype": "str", "keep_default_na": False, "na_values": [""], "skip_blank_lines": False}
    try:
        table = pd.read_csv(StringIO(text[blank:]), sep=separator, skipinitialspace=True, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        reason = str(error)
        if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", reason):
            expected, line, saw = map(int, fields.groups())
            reason = f"line {line + blank} has {saw} fields, the first line {expected}"
        raise InputError(
            f"{path} is not a table ({reason}): give every row as many fields as the first, and take out what stands "
            "above the header; if commas are decimal marks, separate the columns with semicolons"
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
    if separator == "," and len(names) == 4 and _holds_halves(table):
        raise InputError(f"{path}: its commas look like decimal marks: separate the columns with semicolons")
    return table.set_axis(["x", "y"] if len(names) == 2 else [f"column {i + 1}" for i in range(len(names))], axis=1)


def with_decimal_points(column: pd.Series, rows: pd.Series) -> pd.Series:
    """Return a text column with points for decimal commas, and without marks for thousands, if `rows` of it mostly
    hold numbers."""
    known = rows.dropna()
    if not known.str.contains(",", regex=False).any() or known.str.fullmatch(ANY_NUMBER).mean() < MOSTLY:
        return column
    if known.str.fullmatch(THOUSANDS).any():
        return column.str.replace(",", "", regex=False)
    points = column.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return column.where(~column.str.fullmatch(COMMA_NUMBER, na=False), points)


def numbers_of(column: pd.Series) -> pd.Series:
    """Return a text column as float64; NaN where a field is no number. Decimal commas are recognised."""
    return pd.to_numeric(with_decimal_points(column, column), errors="coerce").astype("float64")


def days_of(column: pd.Series) -> pd.Series | None:
    """Return a text column of dates as days since 1970-01-01, float64, NaN where a field is none; None without dates.

    Dates are ISO 8601, 20241231, 31.12.2024, 31 Dec 2024 or, where the order is clear, 31/12/2024 or 12/31/2024.
    """
    readings = dates_of(column.dropna())
    return ((readings[0] - pd.Timestamp(0)) / pd.Timedelta(days=1)).reindex(column.index) if readings else None


def values_of(column: pd.Series, name: str, path: str, dates: bool = False) -> tuple[np.ndarray, str]:
    """Return a text column's numbers, or days of its dates, as float64 (n,), and its name.

    Fields such as 20241231 are dates if `dates` are expected, or if the column holds several and nothing else. Raises
    `InputError` that names the line of the first field that is neither.
    """
    values = numbers_of(column)
    if (dates or values.notna().mean() < MOSTLY or holds_compact_dates(column)) and (
        days := days_of(column)
    ) is not None:
        if len(dates_of(column.dropna())) > 1:
            raise InputError(f"{path}: dates such as {column.iloc[0]!r} can be read in two ways: write 2024-12-31")
        values, name = days, name + DAYS
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        text = column.iloc[bad[0]]
        shown = "an empty field" if pd.isna(text) else repr(str(text)[:40])
        others = f", nor are {bad.size - 1:,} others" if bad.size > 1 else ""
        raise InputError(
            f"{path}: line {column.index[bad[0]]}, column {name[:60]}: {shown} is no finite number{others}; "
            f"correct the row{'s' * (bad.size > 1)} or take {'them' if bad.size > 1 else 'it'} out"
        )
    return values.to_numpy(np.float64), name


def holds_values(column: pd.Series) -> bool:
    """Return whether a text column mostly holds numbers or dates."""
    return numbers_of(column).notna().mean() >= MOSTLY or days_of(column) is not None


def holds_compact_dates(column: pd.Series) -> bool:
    """Return whether all fields of a text column are dates such as 20241231, several different ones."""
    return column.nunique() > 2 and column.str.fullmatch(COMPACT_DATE, na=True).all()


def dates_of(known: pd.Series) -> list[pd.Series]:
    """Return the dates of a text column without gaps, NaT where a field is none, in the format that most fields have.

    Two columns of dates if the order of day and month is not clear; none if there are no dates.
    """
    if known.empty or not (known.str.match(DATE).mean() >= MOSTLY or known.str.fullmatch(COMPACT_DATE).all()):
        return []

    def read(form: str, column: pd.Series = known) -> pd.Series:
        dates = pd.to_datetime(column, format=form, errors="coerce", utc=True)
        return dates.dt.tz_localize(None)

    for forms in FORMS:
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


def _holds_halves(table: pd.DataFrame) -> bool:
    """Return whether four columns are the halves of two numbers with decimal commas: 1,05,-2,3."""
    whole = all(table[i].str.fullmatch(r"[+-]?\d+", na=False).all() for i in table)
    return whole and all(table[i].str.match(r"0\d").any() for i in (1, 3))


def _separator(lines: list[str]) -> str:
    unquoted = [re.sub(r'"[^"]*"', "", line) for line in lines]
    for separator in ";\t|":
        if all(separator in line for line in unquoted):
            return separator
    spaced = all(re.search(r"\S\s+\S", line) for line in unquoted)
    return r"\s+" if spaced and not any("," in line for line in unquoted) else ","


def _without_remarks(text: str) -> str:
    """Return a text with empty lines for `sep=;`, as Excel reads it, and for lines above the header that begin with #.

    The last of these is the header if it has as many fields as the numbers below it.
    """
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip() and line[0] != "#"), 0)
    if re.fullmatch("sep=.", lines[first].strip()):
        lines[first] = ""
    elif first and re.match(rf'\s*"?({ANY_NUMBER})', lines[first]):
        fields = [len(re.split(r"[,;|\t]|\s+", line.lstrip("# ").strip())) for line in lines[first - 1 : first + 1]]
        first -= fields[0] == fields[1]
    return "\n".join([""] * first + lines[first:])


def _with_header_of_all(text: str, lines: list[str], separator: str) -> str:
    """Return a text whose first line ends with a separator if all others end with one more than it has."""
    counts = [line.count(separator) for line in lines]
    if len(lines) > 1 and all(line.endswith(separator) for line in lines[1:]) and {counts[0] + 1} == set(counts[1:]):
        return text.replace(lines[0], lines[0] + separator, 1)
    return text


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
