"""Rows are measured once, kept, and measured again only when their settings change."""

import sys
from types import ModuleType

import pandas as pd
import pytest

from experiments.claim_verdicts import mean_and_spread
from experiments.measure import Case, measured_rows


@pytest.fixture
def example(monkeypatch) -> ModuleType:
    """A claim whose measuring notes what it was asked for, and fails at `fails`."""
    module = ModuleType("experiments.claims.example")
    module.SEEDS, module.asked, module.fails = 2, [], None
    module.CASES = [Case({"name": name, "width": width}, {}, {"width": width}) for name in "ba" for width in (1, 2)]

    def measure(case, seed):
        if (case.labels["name"], seed) == module.fails:
            raise KeyboardInterrupt
        module.asked.append((*case.labels.values(), seed))
        return [{"error": case.regressor["width"] / 3 + seed}]

    module.measure = measure
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_rows_are_measured_once_and_kept_in_the_order_of_the_cases(example, tmp_path):
    path = tmp_path / "example.csv"
    rows, missing = measured_rows("example", path)
    assert missing == len(example.asked) == 8
    assert rows.columns.tolist() == ["name", "width", "seed", "error"]
    assert rows.iloc[3].tolist() == ["b", 2, 1, 1.66667]
    text = path.read_text()
    again, missing = measured_rows("example", path)
    assert missing == 0
    pd.testing.assert_frame_equal(again, rows)
    assert path.read_text() == text


def test_changed_settings_are_measured_again_and_old_rows_are_dropped(example, tmp_path):
    path = tmp_path / "example.csv"
    measured_rows("example", path)
    example.CASES[1] = example.CASES[1]._replace(regressor={"width": 9})
    example.asked.clear()
    rows, missing = measured_rows("example", path)
    assert missing == 2
    assert example.asked == [("b", 2, 0), ("b", 2, 1)]
    assert rows["error"].tolist()[2:4] == [3, 4]
    assert len(pd.read_csv(path)) == len(rows) == 8


def test_an_interrupted_run_goes_on_where_it_stopped(example, tmp_path):
    path, example.fails = tmp_path / "example.csv", ("a", 1)
    with pytest.raises(KeyboardInterrupt):
        measured_rows("example", path)
    example.fails = None
    assert measured_rows("example", path)[1] == 3


def test_figures_are_rounded_together_with_their_spread():
    assert mean_and_spread(pd.Series([12.0, 13, 14]), 3) == "13.0 ± 1.0"
    assert mean_and_spread(pd.Series([0.0123, 0.0125]), 2) == "0.012 ± 0.000"
    assert mean_and_spread(pd.Series([0.0, 0.0]), 3) == "0"
    assert mean_and_spread(pd.Series([1200.0, 1300.0]), 2) == "1,250 ± 71"
    assert mean_and_spread(pd.Series([-0.5, -0.51]), 2) == "−0.51 ± 0.01"
