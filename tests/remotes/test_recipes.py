"""Every command of docs/sharing.md, run in a small project against the servers that it names."""

from pathlib import Path

import pytest

from tests.commands_in_docs import sections
from tests.remotes.conftest import Storage, git_clone

pytestmark = pytest.mark.remotes

PAGE = sections(Path("docs/sharing.md"))
SERVERS = {"ssh": "SSH", "webdav": "WebDAV", "s3": "S3"}
FOLDERS = [
    "Set up a remote", "Your own data", "A fresh clone", "Does dvc.lock match the code?",
    "Are all files there and intact?", "A conflict in dvc.lock", "Cleaning up", "Moving to another remote",
]  # fmt: skip


def run(clone, heading: str, **replaced: str) -> str:
    """Run a section's commands with the test's addresses instead of its own; return what they print."""
    text = "\n".join(PAGE[heading])
    for documented, real in replaced.items():
        assert documented in text, f"{documented} is not in the section {heading}"
        text = text.replace(documented, real)
    return clone.run("bash", "-euo", "pipefail", "-c", text)


def test_every_section_is_run_by_a_test_below():
    assert set(PAGE) == {*SERVERS.values(), *FOLDERS}


@pytest.mark.parametrize("storage", list(SERVERS), indirect=True)
def test_each_server(project, storage: Storage):
    address = {
        "ssh": {"ssh://fitmap-storage/srv/fitmap": storage.url},
        "webdav": {"webdavs://storage.example.org/fitmap": storage.url},
        "s3": {"http://127.0.0.1:9000": storage.settings.get("endpointurl", "")},
    }[storage.kind]
    project.environment |= storage.environment | {"AWS_ACCESS_KEY_ID": "fitmap", "AWS_SECRET_ACCESS_KEY": "loopback"}
    run(project, SERVERS[storage.kind], **address)
    assert storage.objects()


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_a_folder_as_the_remote(project, storage: Storage, tmp_path):
    project.environment.pop("DVC_SITE_CACHE_DIR")
    here = {"/mnt/fitmap": storage.url}
    run(project, "Set up a remote", **here, **{"pip install": "true"})
    assert storage.objects()
    private = project.folder / ".dvc/tmp/site-cache"
    assert private.stat().st_mode & 0o077 == 0
    assert str(private) in project.run("dvc", "doctor")

    other = git_clone(project, tmp_path / "two/project")
    assert "Running stage" not in run(other, "A fresh clone", **here)
    assert "Running stage" not in run(other, "Does dvc.lock match the code?")
    assert '"findings": []' in run(other, "Are all files there and intact?")
    run(other, "Cleaning up")
    assert other.repro() == []
    moved = str(tmp_path / "elsewhere")
    run(other, "Moving to another remote", **{"/mnt/elsewhere": moved})
    assert moved in other.run("dvc", "remote", "list").replace("\n", "")  # DVC folds long lines
    assert "Everything is up to date" in other.run("dvc", "push", "--all-commits")


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_a_conflict_in_the_lock(project, storage: Storage):
    storage.declare(project)
    project.run("git", "checkout", "-q", "-b", "theirs")
    project.set({"curve": {"seed": 7}})
    project.repro()
    project.commit("theirs")
    project.run("git", "checkout", "-q", "-")
    project.set({"curve": {"formula": "sin(x)"}})
    project.repro()
    project.commit("ours")
    assert "CONFLICT (content): Merge conflict in dvc.lock" in run(project, "A conflict in dvc.lock")
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain") == ""
    lock = (project.folder / "dvc.lock").read_text()
    assert "seed: 7" in lock
    assert "formula: sin(x)" in lock
