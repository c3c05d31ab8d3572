import json

import pandas as pd
import pytest

from commands.review import review
from stages.common.artifacts import write_csv
from stages.common.errors import InputError


@pytest.fixture(autouse=True)
def findings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [("duplicate", f"train/{i}.png", "", "near copy", 0.9 - i / 100, "train/2.png", "", 1) for i in range(3, 10)]
    rows += [("leak", "test/1.png", "", "exact copy", 1.0, "train/1.png", "", 2)]
    rows += [("label", f"train/{i}.png", "01", "another class is likelier", 9.0 - i, "", "NA", None) for i in range(12)]
    columns = ["kind", "file_name", "label", "why", "score", "other_file_name", "suggestion", "set"]
    write_csv("plots/review.csv", pd.DataFrame(rows, columns=columns))


def test_counts_and_the_first_findings_are_printed(capsys):
    review([], [], None, False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Leaks: copies in training and in test (1)", "  test/1.png: exact copy of train/1.png (1.00)"]
    assert "Suspect labels, with the suggested class (12)" in lines
    assert "  train/0.png: 01 → NA (9.00)" in lines
    assert "  … and 2 more: plots/review.csv" in lines
    assert "Outliers: far from all others, or badly rebuilt (0)" in lines
    at = lines.index("Duplicates: copies within a split (7 in 1 set)")
    names = ", ".join(f"train/{i}.png" for i in range(2, 7))
    assert lines[at + 1] == f"  8 copies: {names} and 3 more (0.81)"


def test_one_kind_as_json_and_csv(capsys):
    review(["labels"], [], "found.csv", True)
    found = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in found} == {"label"}
    assert found[0]["suggestion"] == "NA"
    assert len(pd.read_csv("found.csv")) == 12


def test_fail_on_ends_with_status_1_only_for_findings_of_that_kind(capsys):
    review([], ["outlier"], None, False)
    with pytest.raises(SystemExit) as ended:
        review(["label"], ["leaks"], None, False)
    assert ended.value.code == 1


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="'labl' is not a kind of finding: use leak, duplicate, label"):
        review(["labl"], [], None, False)
