"""What one clone pushes, another restores in full, over each kind of remote."""

import shutil

import pytest
import yaml

from tests.conftest import Clone
from tests.remotes.conftest import COUNTS, Storage, fresh_clone, ssh

pytestmark = pytest.mark.remotes


def cached(clone: Clone) -> dict[str, str]:
    """The MD5 of each out that DVC keeps, by path."""
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    ignored = clone.run("git", "ls-files").splitlines()
    outs = [out for stage in lock.values() for out in stage["outs"]]
    return {out["path"]: out["md5"] for out in outs if out["path"] not in ignored}


def test_a_fresh_clone_restores_everything(clone, storage: Storage, tmp_path):
    storage.declare(clone)
    clone.run("dvc", "push")
    stored = {path.removeprefix(f"{storage.root}/files/md5/").replace("/", "") for path in storage.objects()}
    wanted = set(cached(clone).values())
    COUNTS["pushed"] += len(wanted)
    COUNTS["lost"] += len(wanted - stored)
    assert stored == wanted

    other = fresh_clone(clone, storage, tmp_path / "two/fitmap")
    assert "no findings" in fitmap(other, "verify", "--remote", "storage")
    other.run("dvc", "pull")
    assert other.repro() == []
    assert "no findings" in fitmap(other, "verify", "--remote", "storage", "--all-commits")
    assert other.run("git", "status", "--porcelain") == ""


def fitmap(clone: Clone, *arguments: str, fails: bool = False) -> str:
    return clone.run("python", "-m", "commands.fitmap", *arguments, fails=fails)


@pytest.mark.parametrize("storage", ["local", "ssh"], indirect=True)
def test_the_run_cache_spares_what_somebody_else_has_run(clone, storage: Storage, tmp_path, pipeline):
    shutil.copytree(pipeline.folder / ".dvc/cache/runs", clone.folder / ".dvc/cache/runs", dirs_exist_ok=True)
    storage.declare(clone)
    clone.run("dvc", "push", "--run-cache")
    other = fresh_clone(clone, storage, tmp_path / "two/fitmap")
    (other.folder / "dvc.lock").unlink()  # as on a branch whose lock knows nothing of these runs
    other.run("dvc", "fetch", "--run-cache")
    assert set(other.repro("--pull")) <= {"evaluate_regressor", "evaluate_map"}, "their metrics are kept in git"
    assert other.run("git", "status", "--porcelain") == ""
    assert "no findings" in fitmap(other, "verify", "--remote", "storage")


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_repro_pull_and_the_check_without_data(clone, storage: Storage, tmp_path):
    storage.declare(clone)
    clone.run("dvc", "push")
    other = fresh_clone(clone, storage, tmp_path / "two/fitmap")
    other.run("dvc", "repro", "--allow-missing", "--dry")
    assert "Running stage" not in other.run("dvc", "repro", "--allow-missing", "--dry")
    other.set({"map_page": {"title": "Another"}})
    assert other.repro("--pull") == ["render_map_page"]


def test_another_host_key_is_refused(clone, tmp_path, tmp_path_factory):
    with ssh(tmp_path_factory.mktemp("ssh")) as storage:
        storage.declare(clone)
        clone.run("dvc", "push", "data/curve.csv")
        known = storage.folder / "known_hosts"
        forged = (storage.folder / "user_key.pub").read_text().split()[1]
        known.write_text(" ".join([*known.read_text().split()[:2], forged]) + "\n")
        COUNTS["injected"] += 1
        clone.run("dvc", "push", fails=True)
        printed = fitmap(clone, "verify", "--remote", "storage", fails=True)
        assert "fitmap: remote storage cannot be read" in printed
        assert len(storage.objects()) == 1, "nothing was sent to the impostor"
        COUNTS["found"] += 1
