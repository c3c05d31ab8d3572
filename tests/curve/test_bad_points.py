"""Tables of points that are wrong in ways users meet are accepted, or refused with one line."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.common.errors import InputError
from stages.curve.points import read_points

ROWS = "".join(f"{i},{i * i}\n" for i in range(100))
ACCEPTED = {
    "windows": ("x,y\n" + ROWS).replace("\n", "\r\n"),
    "old mac": ("x,y\n" + ROWS).replace("\n", "\r"),
    "quoted": '"x","y"\n' + "".join(f'"{i}","{i}"\n' for i in range(100)),
    "exponents": "x,y\n" + ROWS + "1e-3,-1E+5\n",
    "more columns": "a,x,b,y\n" + "".join(f"é,{i},,{i}\n" for i in range(100)),
    "tabs": ("x,y\n" + ROWS).replace(",", "\t"),
    "spaces": "x y\n" + ROWS.replace(",", "  "),
    "no header": ROWS,
    "comment sign": "# x,y\n" + ROWS,
    "comments above the header": "# instrument 7\n# 2024-12-31\nx,y\n" + ROWS,
    "separator for Excel": "sep=;\nx;y\n" + ROWS.replace(",", ";"),
    "empty last field without a name": "x,y\n" + ROWS.replace("\n", ",\n"),
    "capitals": "id,Y,X\n" + "".join(f"{100 + i},{i},{i * i}\n" for i in range(100)),
    "an id of no order": "sensor_id,time,volt\n" + "".join(f"{97 * i % 101},{i / 9},{i}\n" for i in range(100)),
    "line break in a field": "x,y,z\n" + ROWS.replace("\n", ',"a\nb"\n'),
}
REFUSED = {  # content and part of the message
    "utf-16": (("x,y\n" + ROWS).encode("utf-16"), "UTF-8"),
    "open quote": ('x,y\n1,"2\n' + ROWS, "points.csv"),
    "lines above the header": ("Instrument 7\nx,y\n" + ROWS, "line 2 has 2 fields, the first line 1"),
    "decimal commas": ("".join(f"{i},0{i % 7},-{i},0{i % 9}\n" for i in range(100)), "look like decimal marks"),
    "times of day": ("time,volt\n" + ROWS.replace(",", ":15,"), "time holds neither numbers nor dates .*'0:15'"),
    "date and time apart": (
        "date,time,volt\n" + "".join(f"2024-01-0{1 + i // 20},{i % 20}:15,{i}\n" for i in range(100)),
        "date has the date and time the time: join them",
    ),
    "missing values": ("x,y\n" + ROWS + "1,\n2,\n", "line 102, column y: an empty field .* nor are 1 others"),
    "zero byte": ("x,y\n1,\x002\n" + ROWS, "zero byte"),
    "first row too long": ("x,y\n1,2,3\n" + ROWS, "points.csv"),
    "column given twice": ("x,y,x\n" + ROWS.replace("\n", ",1\n"), "one column `x`"),
    "huge number": ("x,y\n" + ROWS + "1e300,1\n", "beyond ±1e+100"),
    "thousands of digits": ("x,y\n" + ROWS + "9" * 5000 + ",1\n", "line 102, column x"),
    "hexadecimal": ("x,y\n" + ROWS + "0x1F,1\n", "line 102, column x"),
    "formula of a spreadsheet": ("x,y\n" + ROWS + "=1+1,1\n", "line 102, column x"),
    "a million columns": ("x,y" + ",c" * 1_000_000, "line of more than 1,000,000 bytes"),
    "ten million lines": ("x,y\n" + "\n" * 11_000_000, "10,000,000 fields"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_other_dialects_are_read(tmp_path, name):
    (tmp_path / "points.csv").write_bytes(ACCEPTED[name].encode())
    assert len(read_points(str(tmp_path / "points.csv"))) >= 100


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_table_is_refused_with_the_place(tmp_path, name):
    content, message = REFUSED[name]
    (tmp_path / "points.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message.replace("+", r"\+")) as caught:
        read_points(str(tmp_path / "points.csv"))
    assert len(str(caught.value)) < 1000


def test_a_gigabyte_of_zeros_is_refused_unread(tmp_path):
    (tmp_path / "points.csv").touch()
    os.truncate(tmp_path / "points.csv", 2**30)
    with pytest.raises(InputError, match="zero byte"):
        read_points(str(tmp_path / "points.csv"))


PIECES = st.sampled_from(["1", "2.5", ",", "\n", '"', "\r", ";", " ", "nan", "-", "e", "x", "\ufeff", "\t", "\0"])


@settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["x,y\n", "x,y\n" + ROWS, ""]), st.lists(PIECES, max_size=30).map("".join))
def test_any_table_is_accepted_or_refused_with_one_line(tmp_path_factory, start, end):
    path = tmp_path_factory.getbasetemp() / "points.csv"
    path.write_text(start + end, encoding="utf-8")
    try:
        points = read_points(str(path))
    except InputError:
        return
    assert np.isfinite(points).all(axis=None)
