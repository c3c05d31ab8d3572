"""`fitmap compare` between two real runs that differ in the activation and in the map's perplexity."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from commands.fitmap import app
from stages.common.errors import InputError
from tests.conftest import Clone
from tests.forks import dvc, stages


@pytest.fixture(scope="module")
def two_runs(pipeline, tmp_path_factory) -> Clone:
    """HEAD~1 is the tiny pipeline's run, HEAD another one."""
    clone = pipeline.copy(tmp_path_factory.mktemp("runs"))
    clone.set(
        {
            "regressor": {"activation": "tanh", "encoding": "none", "members": 1, "epochs": 3},
            "tsne": {"perplexity": 10, "iterations": 60},
            "map_page": {"title": "<b>*Ours*</b> | @you"},
        }
    )
    names = "train_regressor", "evaluate_regressor", "embed_latents", "embed_baselines", "evaluate_map"
    clone.fork(stages, *names)
    clone.fork(dvc, "commit", "--force", *names)
    clone.commit("tanh")
    return clone


@pytest.fixture
def runs(two_runs, monkeypatch) -> Clone:
    monkeypatch.chdir(two_runs.folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", two_runs.environment["DVC_SITE_CACHE_DIR"])
    return two_runs


def compare(*arguments: str, status: int = 0) -> str:
    """What `fitmap compare` prints in the current folder."""
    done = CliRunner().invoke(app, ["compare", *arguments])
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.stdout


def test_metrics_are_judged_in_full_digits_and_the_status_says_that_they_moved(runs):
    found = json.loads(compare("HEAD~1", "HEAD", "--json", status=1))
    metrics = {metric["key"]: metric for metric in found["metrics"]}
    assert metrics["regressor.test_mae"]["new"] == runs.metrics("regressor")["test_mae"]
    assert metrics["regressor.test_mae"]["verdict"] == "worse"
    assert metrics["regressor.noise_floor_mae"]["verdict"] == "same"
    assert metrics["latents.test_mse"]["verdict"] == "same"
    assert {"key": "regressor.activation", "old": "leaky_relu", "new": "tanh"} in found["params"]
    assert [len(found[side]["commit"]) for side in ("old", "new")] == [40, 40]


def test_two_maps_are_laid_over_each_other(runs):
    maps = json.loads(compare("HEAD~1", "HEAD", "--json", status=1))["maps"]
    assert maps["points"] == 500
    assert 10 * maps["neighbours_kept_by_chance"] < maps["neighbours_kept"] < 0.95
    assert 0.001 < maps["procrustes_disparity"] < 0.9


def test_the_workspace_is_compared_with_head_and_a_tolerance_lets_moves_pass(runs):
    path = runs.folder / "metrics/regressor.json"
    before = path.read_text()
    mae = json.loads(before)["test_mae"]
    assert "0 parameters changed" in compare()
    try:
        path.write_text(json.dumps({**json.loads(before), "test_mae": 1.005 * mae}))
        printed = compare(status=1)
        assert re.match(r"HEAD \(\w{7}\) → workspace\n40 metrics: 1 worse, 39 same", printed)
        compare("HEAD", "--only-worse", status=1)
        compare("--tolerance", "regressor.test_mae=1%")
        path.write_text(json.dumps({**json.loads(before), "test_mae": 0.995 * mae}))
        compare(status=1)
        compare("--only-worse")
    finally:
        path.write_text(before)


def test_the_page_shows_both_maps_and_both_pictures_and_users_text_as_text(runs, tmp_path):
    (runs.folder / "plots/regressor_fit.png").write_bytes(b"another picture")
    compare("HEAD~1", "--html", str(tmp_path / "page.html"), status=1)
    page = (tmp_path / "page.html").read_text()
    assert len(re.findall(r"M\d+ \d+h0", page)) == 3 * 500
    assert '<h3>plots/regressor_fit.png</h3><figure><img src="data:image/png;base64,' in page
    assert "&lt;b&gt;*Ours*&lt;/b&gt; | @you" in page
    assert "<script" not in page


def test_markdown_shows_users_text_as_text(runs):
    printed = compare("HEAD~1", "HEAD", "--markdown", status=1)
    assert "| regressor.activation | leaky\\_relu | tanh |" in printed
    assert "\\<b\\>\\*Ours\\*\\</b\\> \\| @\u200byou" in printed


def test_what_is_missing_from_the_cache_is_said_in_a_line_with_what_mends_it(runs, tmp_path, monkeypatch):
    runs.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    printed = compare("HEAD~1", "HEAD", status=1)
    line = next(line for line in printed.splitlines() if "map_points.csv" in line)
    assert "not in DVC's cache: `dvc pull --all-commits plots/map_points.csv` fetches it" in line
    assert "regressor.test_mae" in printed


def test_a_damaged_object_of_the_cache_is_not_taken_for_the_file(runs, tmp_path, monkeypatch):
    shutil.copytree(runs.folder, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    lock = Path("dvc.lock").read_text()
    digest = re.search(r"path: plots/map_points.csv\n\s+hash: md5\n\s+md5: (\w+)", lock)[1]
    cached = Path(".dvc/cache/files/md5", digest[:2], digest[2:])
    cached.chmod(0o600)
    cached.write_bytes(cached.read_bytes() + b"1,2,boat,3\n")
    assert "plots/map_points.csv of HEAD is damaged in DVC's cache" in compare("HEAD~1", "HEAD", status=1)


def test_points_are_matched_by_the_images_they_show(runs):
    path = runs.folder / "data/images.npz"
    before = path.read_bytes()
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["train_images"][:100] = 255 - arrays["train_images"][:100]
    path.unlink()
    try:
        np.savez(path, **arrays)
        found = json.loads(compare("HEAD", "--json"))
    finally:
        path.write_bytes(before)
    assert found["maps"]["points"] == 400
    assert found["maps"]["procrustes_disparity"] == pytest.approx(0, abs=1e-9)
    assert "the images differ: 400 of 500 points show the same one on both maps" in found["notes"]


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "-x", "", "HEAD:params.yaml"])
def test_what_is_no_revision_is_one_line(runs, revision):
    with pytest.raises(InputError, match="is neither a Git revision of this project nor an experiment"):
        compare("--", "HEAD", revision)


def test_damaged_files_of_a_side_are_one_line(runs):
    path = runs.folder / "metrics/map.json"
    before = path.read_text()
    for content, said in [
        ("{", "is not valid JSON"),
        ('{"points": "many"}', "map.points = 'many' is no finite number"),
    ]:
        path.write_text(content)
        try:
            with pytest.raises(InputError, match=said):
                compare()
        finally:
            path.write_text(before)
