"""`fitmap claims`: the committed page, verdicts that follow the figures, and a small claim through real DVC."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from commands.claims import PAGE, SETS
from commands.experiments import combinations, project_files, read_claim
from commands.findings import FINDINGS, mean_and_spread
from tests.conftest import clone_project


def test_the_page_has_every_claim_with_its_command_picture_table_and_verdict():
    sections = re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end of \1 -->", PAGE.read_text(), flags=re.DOTALL)
    assert [name for name, _ in sections] == list(FINDINGS)
    assert {name for name, _ in sections} == {path.stem for path in SETS.glob("*.yaml")}
    assert len(sections) == 8
    for name, text in sections:
        claim = read_claim(SETS / f"{name}.yaml")
        assert text.startswith(f"## {claim.title}\n\n{claim.claim}\n"), name
        assert f"```sh\nfitmap claims {name}\n```" in text
        assert Path(f"docs/images/claim_{name}.png").is_file()
        assert f"](images/claim_{name}.png)" in text
        assert text.count("\n| ") >= 4, "a table of two rows at least"
        assert re.search(
            r"\n\*\*The measurement (agrees|agrees only in part|contradicts the claim)\.\*\* .*\d", text
        ), name


def test_the_parameters_of_every_claim_are_taken_and_its_experiments_differ():
    project = project_files()
    for name in FINDINGS:
        experiments = combinations(SETS / f"{name}.yaml", project)
        assert len({experiment.name for experiment in experiments}) == len(experiments) >= 2
        assert all(experiment.overrides["seeds"] >= 5 for experiment in experiments)


def table(**columns):
    """A run for each of two seeds with the same figures."""
    rows = pd.DataFrame(columns)
    return pd.concat([rows.assign(seed=0), rows.assign(seed=1)], ignore_index=True)


def test_the_verdict_on_depth_follows_the_figures():
    labels = {"activation": ["identity"] * 2 + ["LeakyReLU"] * 2, "hidden layers": [1, 2, 1, 2]}
    same = {**labels, "linear_baseline_mae": [80.0] * 4, "linear_pieces": [1, 1, 9, 9]}
    assert all(FINDINGS["depth"](table(**same, test_mae=[80.1, 80.2, 60, 50])).parts)
    assert not all(FINDINGS["depth"](table(**same, test_mae=[80.1, 70, 60, 50])).parts)
    assert not all(FINDINGS["depth"](table(**same, test_mae=[80.1, 80.2, 80, 80])).parts)


@pytest.mark.parametrize(("slope", "holds"), [(-0.5, True), (-0.3, False), (-0.7, False)])
def test_the_verdict_on_the_sample_size_follows_the_slope(slope, holds):
    points = np.array([100, 1000, 10000, 100000])
    finding = FINDINGS["sample_size"](
        table(points=points, truth_rmse=points**slope, mae_over_floor=[1.3, 1.2, 1.1, 1.0])
    )
    assert all(finding.parts) == holds
    assert f"is −{-slope:.2g}" in finding.sentence
    assert finding.verdict == ("The measurement agrees." if holds else "The measurement agrees only in part.")


def test_the_verdict_on_losses_follows_the_figures():
    labels = {"noise": ["normal"] * 3 + ["outliers"] * 3, "loss": ["L1", "L2", "Huber"] * 2}
    assert all(FINDINGS["losses"](table(**labels, truth_rmse=[12, 10, 10, 14, 20, 14])).parts)
    assert not all(FINDINGS["losses"](table(**labels, truth_rmse=[9, 10, 10, 14, 20, 14])).parts)
    assert not all(FINDINGS["losses"](table(**labels, truth_rmse=[12, 10, 10, 14, 20, 19])).parts)


def test_adam_is_compared_at_the_rate_that_validation_prefers():
    labels = ["Adam at 0.01", "Adam at 0.1", "plain SGD at 0.01", "plain SGD at 0.1"]
    runs = table(**{"optimizer at learning rate": labels}, validation_loss=[5, 4, 9, 6], truth_rmse=[30.0, 20, 50, 40])
    history = pd.concat([runs.assign(epoch=epoch) for epoch in (1, 2)])
    finding = FINDINGS["optimizers"](runs, history)
    assert finding.verdict == "The measurement agrees."
    assert "Adam at 0.1 20.0, plain SGD at 0.1 40.0. Adam is 20.0 nearer than plain SGD" in finding.sentence
    runs["truth_rmse"] = [30.0, 50, 50, 40] * 2
    assert "Adam is 10.0 farther" in FINDINGS["optimizers"](runs, history).sentence
    assert FINDINGS["optimizers"](runs, history).verdict == "The measurement contradicts the claim."


def test_figures_are_rounded_together_with_their_spread():
    assert mean_and_spread(pd.Series([12.0, 13, 14]), 3) == "13.0 ± 1.0"
    assert mean_and_spread(pd.Series([0.0123, 0.0125]), 2) == "0.012 ± 0.000"
    assert mean_and_spread(pd.Series([0.0, 0.0]), 3) == "0"
    assert mean_and_spread(pd.Series([1200.0, 1300.0]), 2) == "1,250 ± 71"


SMALL = {
    "title": "Small",
    "claim": "A claim to test with.",
    "settings": ["curve", "plain"],
    "params": {"curve.samples": 100, "regressor.epochs": 2},
    "grid": {
        "activation": {
            "identity": {"regressor.activation": "identity"},
            "LeakyReLU": {"regressor.activation": "leaky_relu"},
            "tanh": {"regressor.activation": "tanh"},
        },
        "hidden layers": {1: {"regressor.hidden_layers": [2]}},
    },
    "seeds": 2,
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The project with a small claim in the place of `depth`, and a change that the user has not committed."""
    clone = clone_project(tmp_path_factory.mktemp("claims") / "fitmap")
    (clone.folder / "experiments/claims/depth.yaml").write_text(yaml.safe_dump(SMALL, sort_keys=False))
    clone.commit("a small claim")
    (clone.folder / "README.md").write_text("work in progress\n")
    return clone


def command(*arguments):
    return [sys.executable, "-m", "commands.fitmap", "claims", *arguments]


def users_repository(clone):
    """All that the command must leave alone: commits, refs, stashes, and every file but those of the page."""
    changed = clone.run("git", "status", "--porcelain").splitlines()
    return clone.run("git", "for-each-ref"), [line for line in changed if "docs/" not in line]


def test_a_set_that_was_interrupted_goes_on_and_is_not_measured_twice(clone):
    before = users_repository(clone)
    interrupted = subprocess.Popen(
        command("depth"),
        cwd=clone.folder,
        env=clone.environment,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background may ignore it
    )
    store, deadline = clone.folder / ".dvc/tmp/claims.git", time.monotonic() + 300
    while all(path.suffix == ".lock" for path in store.glob("refs/exps/*/*/depth-*")):  # a lock is no finished one yet
        assert interrupted.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(interrupted.pid, signal.SIGINT)
    assert interrupted.wait(60) != 0
    assert users_repository(clone) == before

    printed = clone.run(*command("depth", "--jobs", "2"))
    ran = int(re.search(r"depth: ran (\d) of 3 experiments", printed)[1])
    assert 1 <= ran < 3, "what was finished before the interruption is kept"
    assert "Traceback" not in printed
    assert users_repository(clone) == before
    page = (clone.folder / "docs/claims.md").read_text()
    section = page.split("<!-- depth -->")[1].split("<!-- end of depth -->")[0]
    assert "## Small\n\nA claim to test with.\n" in section
    assert section.count("\n| ") == 3
    assert page.replace(section, "") == re.sub(
        r"(?s)(?<=<!-- depth -->).*(?=<!-- end of depth -->)", "", PAGE.read_text()
    )

    assert "depth: ran 0 of 3 experiments" in clone.run(*command("depth"))
    assert (clone.folder / "docs/claims.md").read_text() == page


def test_a_mistyped_override_or_name_is_refused_before_anything_runs(clone):
    path = clone.folder / "experiments/claims/depth.yaml"
    before = path.read_text()
    path.write_text(before.replace("regressor.epochs", "regressor.epohcs"))
    printed = clone.run(*command("depth"), fails=True)
    path.write_text(before)
    assert printed == (
        "fitmap: experiments/claims/depth.yaml: regressor.epohcs is no parameter; did you mean epochs?\n"
    )
    assert "'dept' is no claim; known are" in clone.run(*command("dept"), fails=True)
