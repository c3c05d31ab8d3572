"""On each kind of remote: what one clone pushes another restores, and `fitmap verify` finds what is damaged."""

import json
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.remotes.conftest import Storage, git_clone, ssh
from tests.run_in_fork import dvc, fitmap, run_fork

pytestmark = pytest.mark.remotes


@pytest.fixture
def pushed(project, storage) -> Clone:
    storage.declare(project)
    project.fork(dvc, "push", "--quiet")
    return project


def findings(clone: Clone) -> dict[str, str]:
    """Return path and problem of each finding on the remote."""
    arguments = ("verify", "--remote", "storage", "--json")
    status, printed = run_fork(fitmap, *arguments, folder=clone.folder, environment=clone.environment)
    found = {finding["path"]: finding["problem"] for finding in json.loads(printed)["findings"]}
    assert (status != 0) == bool(found)
    return found


def test_another_clone_restores_everything_and_faults_are_found_and_repaired(pushed, storage: Storage, tmp_path):
    other = git_clone(pushed, tmp_path / "two/project")
    storage.declare(other)
    assert findings(other) == {}
    other.fork(dvc, "pull", "--quiet")
    assert other.repro() == []

    (changed, one), (missing, two) = list(storage.hashes(pushed).items())[:2]
    content = storage.read(one)
    storage.delete(storage.path(one))
    storage.write(storage.path(one), bytes([content[0] ^ 1]) + content[1:])
    storage.delete(storage.path(two))
    storage.write(storage.path("ab" + "c" * 30), b"not ours")
    assert findings(other) == {
        changed: "on storage: changed: its hash differs",
        missing: "on storage: missing",
        f"ab/{'c' * 30}": "on storage: foreign, no commit names it",
    }
    storage.delete(storage.path(one))
    storage.delete(storage.path("ab" + "c" * 30))
    pushed.fork(dvc, "push", "--quiet")
    assert findings(other) == {}


@pytest.mark.parametrize("storage", ["local", "ssh"], indirect=True)
def test_a_link_on_the_remote_is_reported_and_not_followed(pushed, storage: Storage, tmp_path):
    path, md5 = next(iter(storage.hashes(pushed).items()))
    outside = tmp_path / "outside"
    outside.write_bytes(storage.read(md5))
    storage.delete(storage.path(md5))
    Path(storage.path(md5)).symlink_to(outside)
    assert findings(pushed) == {path: "on storage: a link that leads elsewhere"}


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_the_run_cache_saves_runs_of_others(project, storage: Storage, tmp_path):
    storage.declare(project)
    project.fork(dvc, "push", "--quiet", "--run-cache")
    other = git_clone(project, tmp_path / "two/project")
    storage.declare(other)
    (other.folder / "dvc.lock").unlink()  # as on a branch that knows nothing of these runs
    other.fork(dvc, "fetch", "--quiet", "--run-cache")
    assert other.repro("--pull") == ["evaluate"], "its metrics are kept in git"
    assert findings(other) == {}


def test_another_host_key_is_refused(project, tmp_path_factory):
    with ssh(tmp_path_factory.mktemp("ssh")) as storage:
        storage.declare(project)
        project.fork(dvc, "push", "data/list.csv")
        known = storage.folder / "known_hosts"
        forged = (storage.folder / "user_key.pub").read_text().split()[1]
        known.write_text(" ".join([*known.read_text().split()[:2], forged]) + "\n")
        project.fork(dvc, "push", fails=True)
        refused = project.fork(fitmap, "verify", "--remote", "storage", fails=True)
        assert "fitmap: storage cannot be checked (" in refused
        assert len(storage.objects()) == 1, "nothing was sent to the other server"
