"""`fitmap compare` between two commits of a small project with a map of 60 points."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from commands.fitmap import app
from stages.common.errors import InputError
from stages.common.samples_table import make_samples
from tests.conftest import ROOT, Clone
from tests.run_in_fork import dvc

OUTS = ["data/samples.parquet", "data/images.npz", "data/latents.npz", "plots/map_points.csv", "plots/fit.png"]
METRICS = {
    "regressor": {"test_mae": 24.1, "noise_floor_mae": 23.9},
    "latents": {"test_mse": 0.0029},
    "map": {"knn_recall": 0.5},
}
NAMES = [f"{i}.png" for i in range(60)]
CLASSES = ["shoe", "bag", "coat"]


def write_outputs(folder: Path, metrics: dict, points: pd.DataFrame, picture: bytes = b"a picture") -> None:
    for name, values in metrics.items():
        (folder / f"metrics/{name}.json").write_text(json.dumps(values))
    samples = make_samples(np.repeat("train", 60), NAMES, np.arange(60) % 3, CLASSES)
    samples.to_parquet(folder / "data/samples.parquet", engine="pyarrow")
    points.to_csv(folder / "plots/map_points.csv", index=False)
    (folder / "plots/fit.png").write_bytes(picture)
    for name in ("images", "latents"):
        np.savez(folder / f"data/{name}.npz", a=np.arange(3))


def map_points(positions: np.ndarray, names: list[str] = NAMES) -> pd.DataFrame:
    labels = [CLASSES[int(name.split(".")[0]) % 3] for name in names]
    return pd.DataFrame(
        {"file_name": names, "split": "train", "label": labels, **dict(zip("xy", positions.T, strict=True))}
    )


@pytest.fixture(scope="module")
def two_commits(tmp_path_factory) -> Clone:
    """HEAD~1 has a map; HEAD has the same one turned, with the rows in another order, and a worse fit."""
    folder = tmp_path_factory.mktemp("runs") / "project"
    for name in (".gitignore", ".dvcignore", "params.yaml", ".dvc/config", ".dvc/.gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in ("data", "plots", "metrics"):
        (folder / name).mkdir()
    metrics = [{f"metrics/{name}.json": {"cache": False}} for name in METRICS]
    stage = {"cmd": "true", "deps": [".dvcignore"], "params": ["curve", "regressor"], "outs": OUTS, "metrics": metrics}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"make": stage}}))
    project = Clone(folder)
    project.run("git", "init", "-q")
    positions = np.random.default_rng(0).normal(size=(60, 2))
    write_outputs(folder, METRICS, map_points(positions))
    project.fork(dvc, "commit", "--force", "--quiet")
    project.commit("first")
    order = np.random.default_rng(1).permutation(60)
    turned = positions[order] @ [[0, 1], [-1, 0]]
    points = map_points(turned, [NAMES[i] for i in order])
    write_outputs(folder, METRICS | {"regressor": {"test_mae": 25.0, "noise_floor_mae": 23.9}}, points, b"another")
    project.set({"regressor": {"activation": "tanh", "loss": "<b>*Ours*</b> | @you"}})
    project.fork(dvc, "commit", "--force", "--quiet")
    project.commit("second")
    return project


@pytest.fixture
def project(two_commits, monkeypatch) -> Clone:
    monkeypatch.chdir(two_commits.folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", two_commits.environment["DVC_SITE_CACHE_DIR"])
    return two_commits


def compare(*arguments: str, status: int = 0) -> str:
    """Return what `fitmap compare` prints in the current folder."""
    done = CliRunner().invoke(app, ["compare", *arguments])
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.stdout


def test_metrics_and_settings_of_two_commits(project):
    found = json.loads(compare("HEAD~1", "HEAD", "--json", status=1))
    verdicts = {metric["key"]: metric["verdict"] for metric in found["metrics"]}
    assert verdicts == {
        "regressor.test_mae": "worse",
        "regressor.noise_floor_mae": "same",
        "latents.test_mse": "same",
        "map.knn_recall": "same",
    }
    assert {"key": "regressor.activation", "old": "leaky_relu", "new": "tanh"} in found["params"]
    assert [len(found[side]["commit"]) for side in ("old", "new")] == [40, 40]


def test_points_of_both_maps_are_matched_by_file_name(project):
    maps = json.loads(compare("HEAD~1", "HEAD", "--json", status=1))["maps"]
    assert maps["points"] == 60
    assert maps["neighbours_kept"] == 1
    assert maps["procrustes_disparity"] == pytest.approx(0, abs=1e-9)


def test_points_that_only_one_map_has_are_left_out(project):
    path = project.folder / "plots/map_points.csv"
    before = path.read_bytes()
    path.unlink()
    path.write_bytes(b"".join(before.splitlines(keepends=True)[:41]))
    try:
        found = json.loads(compare("HEAD", "--json"))
    finally:
        path.write_bytes(before)
    assert found["maps"]["points"] == 40
    assert found["notes"] == ["40 of 60 points are on both maps"]


def test_the_workspace_is_compared_with_head_and_a_tolerance_lets_changes_pass(project):
    path = project.folder / "metrics/regressor.json"
    before = path.read_text()
    assert "settings changed: 0" in compare()
    try:
        path.write_text(json.dumps({"test_mae": 25.1, "noise_floor_mae": 23.9}))
        assert re.match(r"HEAD \(\w{7}\) → workspace\n4 metrics: 1 worse, 3 same", compare(status=1))
        compare("HEAD", "--only-worse", status=1)
        compare("--tolerance", "regressor.test_mae=1%")
        path.write_text(json.dumps({"test_mae": 24.9, "noise_floor_mae": 23.9}))
        compare(status=1)
        compare("--only-worse")
        path.write_text("{")
        with pytest.raises(InputError, match="is not valid JSON"):
            compare()
        path.write_text('{"test_mae": "many"}')
        with pytest.raises(InputError, match="regressor.test_mae = 'many' is no finite number"):
            compare()
    finally:
        path.write_text(before)


def test_the_page_shows_maps_in_the_samples_colours_and_pictures_and_users_text_as_text(project, tmp_path):
    compare("HEAD~1", "--html", str(tmp_path / "page.html"), status=1)
    page = (tmp_path / "page.html").read_text()
    assert len(re.findall(r"M\d+ \d+h0", page)) == 3 * 60
    assert re.findall(r'fill="#1861ce"/></svg>(\w+)', page) == ["shoe"], "the first class of the samples"
    assert '<h3>plots/fit.png</h3><figure><img src="data:image/png;base64,' in page
    assert "&lt;b&gt;*Ours*&lt;/b&gt; | @you" in page
    assert "<script" not in page


def test_markdown_shows_users_text_as_text(project):
    printed = compare("HEAD~1", "HEAD", "--markdown", status=1)
    assert "| regressor.activation | leaky\\_relu | tanh |" in printed
    assert "\\<b\\>\\*Ours\\*\\</b\\> \\| @\u200byou" in printed


def test_a_file_that_is_not_in_the_cache_is_named_with_a_remedy_that_works(project, tmp_path, monkeypatch):
    clone = Clone(tmp_path / "clone")
    project.run("git", "clone", "-q", ".", str(clone.folder))
    monkeypatch.chdir(clone.folder)
    nowhere = "is not in DVC's cache nor on the remote: to make it, run `git checkout"
    assert f"plots/map_points.csv of HEAD~1 {nowhere}" in compare("HEAD~1", "HEAD", status=1)
    for one in (project, clone):
        one.fork(dvc, "remote", "modify", "--local", "storage", "url", str(tmp_path / "storage"))
    project.fork(dvc, "push", "--quiet", "--all-commits")
    printed = compare("HEAD~1", "HEAD", status=1)
    assert "fetch it with `dvc fetch --all-commits plots/map_points.csv`" in printed
    clone.fork(dvc, "fetch", "--all-commits", "plots/map_points.csv")
    assert "60 points on both maps" in compare("HEAD~1", "HEAD", status=1)


def test_a_damaged_object_of_the_cache_is_not_taken_for_the_file(project, tmp_path, monkeypatch):
    shutil.copytree(project.folder, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    digest = re.search(r"path: plots/map_points.csv\n\s+hash: md5\n\s+md5: (\w+)", Path("dvc.lock").read_text())[1]
    cached = Path(".dvc/cache/files/md5", digest[:2], digest[2:])
    cached.chmod(0o600)
    cached.write_bytes(cached.read_bytes() + b"61.png,train,shoe,1,2\n")
    assert "plots/map_points.csv of HEAD is damaged in DVC's cache" in compare("HEAD~1", "HEAD", status=1)


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "-x", "", "HEAD:params.yaml"])
def test_a_name_that_is_no_revision_is_one_line(project, revision):
    with pytest.raises(InputError, match="is neither a Git revision of this project nor an experiment"):
        compare("--", "HEAD", revision)
