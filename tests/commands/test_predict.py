"""`fitmap predict` on a small trained network: numbers and files in, the band out, and what is refused."""

import json
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from commands.fitmap import app, main
from stages.common.artifacts import write_weights
from stages.common.csv_dialects import DAYS
from stages.common.settings import load_params
from stages.regressor.network import arrays_of, predict
from stages.regressor.training import train


@pytest.fixture(scope="module")
def network():
    """A straight line with noise, fitted over x in ±2."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-2, 2, 300)
    y = 3 * x + generator.normal(0, 0.1, 300)
    params = load_params("regressor").model_copy(update={"encoding": "none", "ensemble_size": 1, "epochs": 5})
    return train(x, y, params)[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)
    architecture = {**network.architecture, "x_name": "x", "y_name": "y"}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    return tmp_path


def fitmap(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)], catch_exceptions=False)


def refusal(monkeypatch, capsys, *arguments):
    """The one line with which the command ends."""
    monkeypatch.setattr("sys.argv", ["fitmap", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == 1
    assert printed.count("\n") == 1
    return printed


@pytest.mark.parametrize("arguments", [("-1.5", "0", "2e-1"), ("--", "-1.5", "0", "2e-1"), ("-1.5", "0", ".2")])
def test_numbers_negative_ones_too_come_back_with_the_band(network, arguments):
    rows = json.loads(fitmap("--json", *arguments).stdout)
    y, lower, upper = predict(network, np.array([-1.5, 0, 0.2]))
    table = pd.DataFrame(rows)
    np.testing.assert_allclose(table[["x", "y", "lower", "upper"]], np.column_stack([[-1.5, 0, 0.2], y, lower, upper]))
    assert (lower < y).all()
    assert (y < upper).all()


def test_the_printed_table_has_a_line_for_each_number():
    lines = fitmap(1, -1).stdout.splitlines()
    assert lines[0].split() == ["x", "y", "lower", "upper"]
    assert [float(line.split()[0]) for line in lines[1:]] == [1, -1]


def test_a_csv_file_keeps_its_other_columns(network, folder):
    (folder / "in.csv").write_text("name,x,code\nfirst,-1,007\n\n,1.5,NA\n")
    table = pd.read_csv(StringIO(fitmap("--csv", "in.csv").stdout), dtype=str, keep_default_na=False)
    assert list(table.columns) == ["name", "x", "code", "y", "lower", "upper"]
    assert table["name"].tolist() == ["first", ""]
    assert table["code"].tolist() == ["007", "NA"]
    np.testing.assert_allclose(table["y"].astype(float), predict(network, [-1, 1.5])[0])


def test_a_csv_file_may_have_y_already_and_a_column_may_have_its_own_name(network, folder):
    architecture = {**network.architecture, "x_name": "time", "y_name": "signal"}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    (folder / "in.csv").write_text("time;signal\n-1,5;2\n1;3\n")
    table = pd.read_csv(StringIO(fitmap("--csv", "in.csv").stdout))
    assert list(table.columns) == ["time", "signal", "signal_fit", "lower", "upper"]
    np.testing.assert_allclose(table["signal_fit"], predict(network, [-1.5, 1])[0])


def test_dates_are_days(network, folder, monkeypatch, capsys):
    architecture = {**network.architecture, "x_name": "date" + DAYS, "y_name": "y"}
    write_weights("data/regressor.safetensors", architecture, arrays_of(network))
    rows = json.loads(fitmap("--json", "1970-01-02").stdout)
    assert rows[0]["date"] == "1970-01-02"
    assert rows[0]["y"] == pytest.approx(predict(network, [1.0])[0][0])
    (folder / "in.csv").write_text("date\n19700102\n")
    assert json.loads(fitmap("--json", "19700102").stdout)[0]["y"] == rows[0]["y"]
    assert json.loads(fitmap("--json", "--csv", "in.csv").stdout)[0]["y"] == rows[0]["y"]
    assert "can be read in two ways: write 2024-12-31" in refusal(monkeypatch, capsys, "03/04/2024")


def test_outside_the_training_range_it_warns(network):
    assert fitmap(0).stderr == ""
    assert "1 of 2 x outside the training range -1.9" in fitmap(0, 50).stderr


@pytest.mark.parametrize("word", ["abc", "nan", "inf", "1e999", "", "--jsno", "-x"])
def test_what_is_no_number_is_refused(monkeypatch, capsys, word):
    assert f"{word!r} is no finite number" in refusal(monkeypatch, capsys, "1", word)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x\n1\n\ntwo\n", "in.csv: line 4, column x: 'two' is no finite number"),
        ("a,x\n1,\n", "in.csv: line 2, column x: an empty field is no finite number"),
        ("a,b\n1,2\n", "in.csv needs one column `x`"),
        ("", "in.csv is empty"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(monkeypatch, capsys, folder, content, message):
    (folder / "in.csv").write_text(content)
    assert message in refusal(monkeypatch, capsys, "--csv", "in.csv")


def test_missing_input_is_refused(monkeypatch, capsys, folder):
    assert "values of x" in refusal(monkeypatch, capsys)
    assert "and not both" in refusal(monkeypatch, capsys, "1", "--csv", "in.csv")
    assert "in.csv is missing" in refusal(monkeypatch, capsys, "--csv", "in.csv")
    (folder / "data/regressor.safetensors").unlink()
    assert "`dvc repro` makes it" in refusal(monkeypatch, capsys, "1")
