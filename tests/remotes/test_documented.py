"""Every command of docs/sharing.md, run in a clone of the tiny pipeline against the servers that it names."""

from pathlib import Path

import pytest

from tests.documented import sections
from tests.remotes.conftest import KINDS, Storage, git_clone

pytestmark = pytest.mark.remotes

PAGE = sections(Path("docs/sharing.md"))
ON_SERVERS = {"ssh": "SSH", "webdav": "WebDAV", "s3": "S3"}
ON_FOLDERS = set(PAGE) - set(ON_SERVERS.values())


def run(clone, heading: str, **addresses: str) -> str:
    """Run a section's blocks with the tests' addresses in place of its own; what they print."""
    printed = ""
    for block in PAGE[heading]:
        for documented, real in addresses.items():
            assert documented in "".join(PAGE[heading]), "an address that the section does not name"
            block = block.replace(documented, real)
        printed += clone.run("bash", "-euo", "pipefail", "-c", block)
    return printed


def test_every_section_is_run_by_a_test_below():
    assert set(PAGE) >= {"SSH", "WebDAV", "S3"}
    assert ON_FOLDERS == {
        "Where artifacts go", "A fresh clone", "Does dvc.lock fit the code?", "Is everything there, and unharmed?",
        "A conflict in dvc.lock", "Clearing out", "Moving to another remote",
    }  # fmt: skip
    assert set(KINDS) == {"local", *ON_SERVERS}


@pytest.mark.parametrize("storage", list(ON_SERVERS), indirect=True)
def test_the_recipe_of_each_server(clone, storage: Storage):
    addresses = {
        "ssh": {"ssh://fitmap-storage/srv/fitmap": storage.url},
        "webdav": {"webdavs://storage.example.org/fitmap": storage.url},
        "s3": {"http://127.0.0.1:9000": storage.settings.get("endpointurl", "")},
    }[storage.kind]
    keys = {"AWS_ACCESS_KEY_ID": "fitmap", "AWS_SECRET_ACCESS_KEY": "loopback"}
    clone.environment |= storage.environment | keys
    run(clone, ON_SERVERS[storage.kind], **addresses)
    assert storage.objects()


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_the_recipes_with_a_folder(clone, storage: Storage, tmp_path):
    clone.environment.pop("DVC_SITE_CACHE_DIR")
    here = {"/mnt/fitmap": storage.url}
    run(clone, "Where artifacts go", **here)
    assert storage.objects()
    private = clone.folder / ".dvc/tmp/site-cache"
    assert private.stat().st_mode & 0o077 == 0
    assert str(private) in clone.run("dvc", "doctor")

    other = git_clone(clone, tmp_path / "two/fitmap")
    assert "Running stage" not in run(other, "A fresh clone", **here)
    assert "Running stage" not in run(other, "Does dvc.lock fit the code?")
    assert '"findings": []' in run(other, "Is everything there, and unharmed?")
    run(other, "Clearing out")
    assert other.repro() == []
    moved = str(tmp_path / "elsewhere")
    run(other, "Moving to another remote", **{"/mnt/elsewhere": moved})
    assert moved in other.run("dvc", "remote", "list")
    assert "Everything is up to date" in other.run("dvc", "push", "--all-commits")


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_a_real_conflict_in_the_lock(clone, storage: Storage):
    storage.declare(clone)
    clone.run("git", "checkout", "-q", "-b", "theirs")
    clone.set({"map_page": {"title": "Theirs"}})
    clone.repro()
    clone.commit("theirs")
    clone.run("git", "checkout", "-q", "-")
    clone.set({"map_scores": {"trustworthiness_neighbours": 10}})
    clone.repro()
    clone.commit("ours")
    assert "CONFLICT (content): Merge conflict in dvc.lock" in run(clone, "A conflict in dvc.lock")
    assert clone.repro() == []
    assert clone.run("git", "status", "--porcelain") == ""
    page = (clone.folder / "plots/map.html").read_text()
    assert "Theirs" in page
    assert "trustworthiness_neighbours: 10" in (clone.folder / "dvc.lock").read_text()


@pytest.mark.parametrize("storage", ["local"], indirect=True)
def test_history_older_than_the_declaration_is_pushed(clone, storage: Storage):
    """`--local` reaches the commits whose .dvc/config knows no remote."""
    (clone.folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    clone.commit("a commit from before any remote")
    clone.set({"map_page": {"title": "Since then"}})
    clone.repro()
    clone.commit("since then")
    clone.run("dvc", "remote", "add", "--local", "--default", "storage", storage.url)
    clone.run("dvc", "push", "--all-commits")
    assert "no findings" in clone.run("fitmap", "verify", "--remote", "storage", "--all-commits")
