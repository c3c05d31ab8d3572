"""Tables that people bring are read as text, numbers or days, whatever their separator."""

import numpy as np
import pandas as pd
import pytest

from stages.common.csv_dialects import DAYS, days_of, numbers_of, read_text_table, values_of
from stages.common.errors import InputError


def write(tmp_path, content: str | bytes) -> str:
    path = tmp_path / "own.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    ("content", "columns", "first_line"),
    [
        ("time,signal\n1,2\n", ["time", "signal"], 2),
        ("x;y\n1,5;2,25\n", ["x", "y"], 2),
        ("x\ty\n1\t2\n", ["x", "y"], 2),
        ("x y\n1  2\n", ["x", "y"], 2),
        ("1,2\n3,4\n", ["x", "y"], 1),
        ("2024-01-01;3,5;1\n2024-01-02;3,5;1\n", ["column 1", "column 2", "column 3"], 1),
        ("\n\nx,y\n\n1,2\n", ["x", "y"], 5),
        ("Größe;y\n1,5;2\n".encode("cp1252"), ["Größe", "y"], 2),
        (b"\xef\xbb\xbfx,y\n1,2\n", ["x", "y"], 2),
    ],
)
def test_recognises_separator_header_and_encoding(tmp_path, content, columns, first_line):
    table = read_text_table(write(tmp_path, content))
    assert list(table.columns) == columns
    assert table.index[0] == first_line


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.5", "-2e3", ".5"], [1.5, -2000, 0.5]),
        (["1,509", "-0,025", "3"], [1.509, -0.025, 3]),
        (["1.234,5", "12,25", ",5", "7"], [1234.5, 12.25, 0.5, 7]),
        (["1,234.5", "-12.25", "1,234,567.0", "7"], [1234.5, -12.25, 1234567, 7]),
        (["1", "1,5x", ""], [1, np.nan, np.nan]),
    ],
)
def test_numbers_may_have_decimal_commas(texts, numbers):
    np.testing.assert_array_equal(numbers_of(pd.Series(texts)), numbers)


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["2024-01-01", "2024-01-02T12:00:00"], [19723, 19724.5]),
        (["31.12.2023 06:00", "01.01.2024 00:00"], [19722.25, 19723]),
        (["13/01/2024", "01/02/2024"], [19735, 19754]),
        (["01/13/2024", "02/01/2024"], [19735, 19754]),
        (["01/01/2024", "02/02/2024"], [19723, 19755]),
        (["2024/01/01", "2024/01/02"], [19723, 19724]),
        (["01/13/2024 12:00 AM", "01/13/2024 06:00 PM"], [19735, 19735.75]),
        (["01 Jan 2024", "2 Jan 2024"], [19723, 19724]),
        (["01-Jan-2024", "02-Jan-2024"], [19723, 19724]),
        (["Jan 1, 2024", "Jan 2, 2024"], [19723, 19724]),
        (["2024-01", "2024-02"], [19723, 19754]),
    ],
)
def test_dates_become_days(texts, days):
    np.testing.assert_array_equal(days_of(pd.Series(texts)), days)


def test_a_table_and_a_column_read_decimal_commas_alike(tmp_path):
    fields = ["1,5", ",5", "-2.000,25", "3", "?", *["4,5"] * 10]
    table = read_text_table(write(tmp_path, "a;b\n" + "".join(f"{field};1\n" for field in fields)))
    np.testing.assert_array_equal(numbers_of(table["a"]), numbers_of(pd.Series(fields)))
    assert table["a"].iloc[:5].tolist() == ["1.5", ".5", "-2000.25", "3", "?"]


def test_dates_of_no_clear_order_are_refused():
    with pytest.raises(
        InputError, match="own.csv: dates such as '03/04/2024' can be read in two ways: write 2024-12-31"
    ):
        values_of(pd.Series(["03/04/2024", "05/06/2024"]), "date", "own.csv")


def test_dates_without_marks_are_dates_only_if_all_are():
    dates, name = values_of(pd.Series(["20240131", "20240201", "20240202"]), "date", "own.csv")
    np.testing.assert_array_equal(dates, [19753, 19754, 19755])
    assert name == "date" + DAYS
    assert values_of(pd.Series(["20240131", "20240132", "20240133"]), "count", "own.csv")[1] == "count"


def test_values_name_the_line_that_is_wrong():
    assert values_of(pd.Series(["2024-01-01"]), "date", "own.csv")[1] == "date" + DAYS
    column = pd.Series(["1"] * 20 + ["many"], index=range(2, 23))
    with pytest.raises(InputError, match="own.csv: line 22, column y: 'many' is no finite number"):
        values_of(column, "y", "own.csv")
