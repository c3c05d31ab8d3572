"""`fitmap claims`: the committed page and rows fit together, and the verdicts follow the figures."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from commands.fitmap import app
from experiments.claims_page import CLAIMS, FOLDER, PAGE, with_section
from experiments.measure import claim, measure_one, measured_rows
from stages.common.settings import check_section


@pytest.mark.parametrize("name", CLAIMS)
def test_the_page_says_what_the_committed_rows_say(name):
    rows, missing = measured_rows(name, FOLDER / f"{name}.csv", lambda *_: iter(()))
    assert missing == 0
    assert Path(f"docs/images/claim_{name}.png").is_file()
    page = PAGE.read_text()
    assert with_section(page, name, claim(name).judge(rows)) == page


def test_the_page_has_every_claim_once_in_order():
    assert re.findall(r"<!-- (?!end of )(\w+) -->", PAGE.read_text()) == list(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_settings_of_every_case_are_taken(name):
    assert len({case.key for case in claim(name).CASES}) == len(claim(name).CASES) >= 2
    for case in claim(name).CASES:
        check_section("curve", case.curve | {"seed": 0})
        check_section("regressor", case.regressor | {"seed": 0})


@pytest.mark.full
@pytest.mark.parametrize("name", ["depth", "losses"])
def test_the_committed_rows_are_near_what_the_code_measures(name):
    rows, _ = measured_rows(name, FOLDER / f"{name}.csv")
    case = claim(name).CASES[0]
    fresh = measure_one((name, case, 0)).select_dtypes(float)
    kept = rows[(rows[list(case.labels)] == case.labels).all(axis=1) & (rows["seed"] == 0)]
    np.testing.assert_allclose(kept[fresh.columns], fresh, rtol=0.25)


def test_an_unknown_claim_is_refused():
    done = CliRunner().invoke(app, ["claims", "dept"])
    assert "'dept' is not a claim; known are depth" in str(done.exception)


def rows_of(**columns) -> pd.DataFrame:
    """A row for each of two seeds with the same figures."""
    rows = pd.DataFrame(columns)
    return pd.concat([rows.assign(seed=0), rows.assign(seed=1)], ignore_index=True)


def test_the_verdict_on_depth_follows_the_figures():
    depth, ratio = claim("depth"), claim("depth").RATIO
    labels = {"activation": ["identity"] * 2 + ["LeakyReLU"] * 2, "hidden layers": [1, 2, 1, 2]}
    labels["linear pieces"] = [1, 1, 9, 9]
    assert depth.judge(rows_of(**labels, **{ratio: [1.001, 0.999, 0.7, 0.6]})).parts == (True, True)
    assert depth.judge(rows_of(**labels, **{ratio: [1.001, 0.9, 0.7, 0.6]})).parts == (False, True)
    assert depth.judge(rows_of(**labels, **{ratio: [1.001, 0.999, 1, 1]})).parts == (True, False)


@pytest.mark.parametrize(("slope", "holds"), [(-0.5, True), (-0.3, False), (-0.7, False)])
def test_the_verdict_on_the_sample_size_follows_the_slope(slope, holds):
    sample_size = claim("sample_size")
    points = np.array([100, 1000, 10000, 100000])
    rows = rows_of(points=points, truth_rmse=points**slope, **{sample_size.FLOOR: [1.3, 1.2, 1.1, 1.0]})
    finding = sample_size.judge(rows)
    assert finding.parts == (holds, True)
    assert finding.verdict == ("The measurement agrees." if holds else "The measurement agrees only in part.")


def test_adam_is_compared_at_the_rate_that_validation_prefers():
    labels = {"network": "plain", "optimizer": ["Adam", "Adam", "SGD", "SGD"], "learning rate": [0.01, 0.1, 0.01, 0.1]}
    runs = rows_of(**labels, last=[5, 4, 9, 6], truth_rmse=[30.0, 20, 50, 40])
    finding = claim("optimizers").judge(runs)
    assert finding.verdict == "The measurement agrees."
    assert "Plain: Adam ends 20.0 nearer than SGD" in finding.sentence
    runs["truth_rmse"] = [30.0, 50, 50, 40] * 2
    assert claim("optimizers").judge(runs).verdict == "The measurement contradicts the claim."
