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

from commands.compare.compare_maps import compare_maps, draw_maps
from commands.compare.files_of_revision import Revision
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
    assert not isinstance(done.exception, Exception), done.exception
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
    assert found["maps"]["left_out"] == 20


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


def test_the_maps_are_drawn_in_the_colours_of_the_samples(project, tmp_path):
    compare("HEAD~1", "--picture", str(tmp_path / "maps.png"), status=1)
    assert (tmp_path / "maps.png").stat().st_size > 10_000
    old, new = Revision("HEAD~1"), Revision("HEAD")
    figure = draw_maps(compare_maps(old, new), old, new)
    assert [len(axes.collections[0].get_offsets()) for axes in figure.axes[:3]] == [60] * 3
    assert [text.get_text().split()[0] for text in figure.axes[0].get_legend().get_texts()] == CLASSES


def test_markdown_shows_users_text_as_text(project):
    printed = compare("HEAD~1", "HEAD", "--markdown", status=1)
    assert "| regressor.activation | leaky\\_relu | tanh |" in printed
    assert "\\<b\\>\\*Ours\\*\\</b\\> \\| @\u200byou" in printed


def test_a_file_comes_from_the_remote_or_is_named(project, tmp_path, monkeypatch):
    clone = Clone(tmp_path / "clone")
    project.run("git", "clone", "-q", ".", str(clone.folder))
    monkeypatch.chdir(clone.folder)
    nowhere = "plots/map_points.csv of HEAD~1 is neither here nor on the remote"
    assert nowhere in compare("HEAD~1", "HEAD", status=1)
    for one in (project, clone):
        one.fork(dvc, "remote", "modify", "--local", "storage", "url", str(tmp_path / "storage"))
    project.fork(dvc, "push", "--quiet", "--all-commits")
    assert "60 points on both maps" in compare("HEAD~1", "HEAD", status=1)


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "-x", "", "HEAD:params.yaml"])
def test_a_name_that_is_no_revision_is_one_line(project, revision):
    with pytest.raises(InputError, match="is neither a Git revision of this project nor an experiment"):
        compare("--", "HEAD", revision)
