"""`fitmap compare` between two real runs that differ in the activation and in the map's seed."""

import json
import re
import shutil
import sys

import numpy as np
import pytest

from tests.conftest import Clone

FITMAP = (sys.executable, "-m", "commands.fitmap")


@pytest.fixture(scope="module")
def runs(pipeline, tmp_path_factory) -> Clone:
    """HEAD~1 is the tiny pipeline's run, HEAD another one."""
    folder = tmp_path_factory.mktemp("runs") / "fitmap"
    shutil.copytree(pipeline.folder, folder, symlinks=True)
    clone = Clone(folder)
    clone.set({
        "regressor": {"activation": "tanh", "encoding": "none", "members": 1, "epochs": 3},
        "tsne": {"seed": 1, "iterations": 60},
        "map_page": {"title": "<b>*Ours*</b> | @you"},
    })  # fmt: skip
    clone.repro("evaluate_regressor", "evaluate_map")
    clone.commit("tanh")
    return clone


def test_metrics_are_judged_in_full_digits_and_the_status_says_that_they_moved(runs):
    found = json.loads(runs.run(*FITMAP, "compare", "HEAD~1", "HEAD", "--json", fails=True))
    metrics = {metric["key"]: metric for metric in found["metrics"]}
    assert metrics["regressor.test_mae"]["new"] == runs.metrics("regressor")["test_mae"]
    assert metrics["regressor.test_mae"]["verdict"] == "worse"
    assert metrics["regressor.noise_floor_mae"]["verdict"] == "same"
    assert metrics["latents.test_mse"]["verdict"] == "same"
    assert {"key": "regressor.activation", "old": "leaky_relu", "new": "tanh"} in found["params"]
    assert [len(found[side]["commit"]) for side in ("old", "new")] == [40, 40]


def test_two_maps_are_laid_over_each_other(runs):
    maps = json.loads(runs.run(*FITMAP, "compare", "HEAD~1", "HEAD", "--json", fails=True))["maps"]
    assert maps["points"] == 500
    assert 10 * maps["neighbours_kept_by_chance"] < maps["neighbours_kept"] < 0.95
    assert 0.001 < maps["procrustes_disparity"] < 0.9


def test_the_workspace_is_compared_with_head_and_a_tolerance_lets_moves_pass(runs):
    assert "0 parameters changed" in runs.run(*FITMAP, "compare")
    path = runs.folder / "metrics/regressor.json"
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), "test_mae": 1.005 * json.loads(before)["test_mae"]}))
    try:
        printed = runs.run(*FITMAP, "compare", fails=True)
        assert "HEAD" in printed.splitlines()[0]
        assert printed.splitlines()[0].endswith("workspace")
        assert "1 worse" in printed
        runs.run(*FITMAP, "compare", "HEAD", "--only-worse", fails=True)
        runs.run(*FITMAP, "compare", "--tolerance", "regressor.test_mae=1%")
        path.write_text(json.dumps({**json.loads(before), "test_mae": 0.995 * json.loads(before)["test_mae"]}))
        runs.run(*FITMAP, "compare", fails=True)
        runs.run(*FITMAP, "compare", "--only-worse")
    finally:
        path.write_text(before)


def test_the_page_shows_both_maps_and_both_pictures_and_users_text_as_text(runs):
    shutil.copy("docs/images/regressor_fit.png", runs.folder / "plots/regressor_fit.png")  # one that differs
    runs.run(*FITMAP, "compare", "HEAD~1", "--html", "page.html", fails=True)
    page = (runs.folder / "page.html").read_text()
    (runs.folder / "page.html").unlink()
    assert page.count("<svg") >= 3
    assert len(re.findall(r"M\d+ \d+h0", page)) == 3 * 500
    assert '<h3>plots/regressor_fit.png</h3><figure><img src="data:image/png;base64,' in page
    assert "&lt;b&gt;*Ours*&lt;/b&gt; | @you" in page
    assert "<script" not in page


def test_markdown_shows_users_text_as_text(runs):
    printed = runs.run(*FITMAP, "compare", "HEAD~1", "HEAD", "--markdown", fails=True)
    assert "| regressor.activation | leaky\\_relu | tanh |" in printed
    assert "\\<b\\>\\*Ours\\*\\</b\\> \\| @\u200byou" in printed


def test_what_is_missing_from_the_cache_is_said_in_a_line_with_what_mends_it(runs, tmp_path):
    other = tmp_path / "clone"
    runs.run("git", "clone", "-q", ".", str(other))
    clone = Clone(other)
    printed = clone.run(*FITMAP, "compare", "HEAD~1", "HEAD", fails=True)
    line = next(line for line in printed.splitlines() if "map_points.csv" in line)
    assert "not in DVC's cache: `dvc pull --all-commits plots/map_points.csv` fetches it" in line
    assert "test_mae" in printed


def test_points_are_matched_by_the_images_they_show(runs):
    path = runs.folder / "data/images.npz"
    before = path.read_bytes()
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["train_images"][:100] = 255 - arrays["train_images"][:100]
    path.unlink()
    try:
        np.savez(path, **arrays)
        found = json.loads(runs.run(*FITMAP, "compare", "HEAD", "--json"))
    finally:
        path.write_bytes(before)
    assert found["maps"]["points"] == 400
    assert found["maps"]["procrustes_disparity"] == pytest.approx(0, abs=1e-9)
    assert "the images differ: 400 of 500 points show the same one on both maps" in found["notes"]


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "--"])
def test_what_is_no_revision_is_one_line(runs, revision):
    printed = runs.run(*FITMAP, "compare", "HEAD", "--", revision, fails=True)
    assert "Traceback" not in printed
    assert "is neither a Git revision of this project nor an experiment" in printed


def test_damaged_files_of_a_side_are_one_line(runs):
    path = runs.folder / "metrics/map.json"
    before = path.read_text()
    for content, said in [
        ("{", "is not valid JSON"),
        ('{"points": "many"}', "map.points = 'many' is no finite number"),
    ]:
        path.write_text(content)
        printed = runs.run(*FITMAP, "compare", fails=True)
        path.write_text(before)
        assert said in printed
        assert printed.count("\n") == 1
