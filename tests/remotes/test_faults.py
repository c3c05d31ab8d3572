"""Every fault injected into a remote is found by `fitmap verify`, and mended by the repair that it names."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.remotes.conftest import COUNTS, Storage, fresh_clone, git_clone
from tests.remotes.test_restoring import cached, fitmap

pytestmark = pytest.mark.remotes

HOSTILE = json.dumps([{"md5": "0" * 32, "relpath": "../../../home/.profile"}]).encode()


@pytest.fixture
def pushed(clone, storage) -> Clone:
    storage.declare(clone)
    clone.run("dvc", "push")
    return clone


def findings(clone: Clone, *arguments: str) -> list[tuple[str, str]]:
    """Path and problem of each finding on the remote."""
    printed = clone.run("sh", "-c", "python -m commands.fitmap verify --remote storage --json || true")
    return [(finding["path"], finding["problem"]) for finding in json.loads(printed)["findings"]]


def test_each_fault_is_found_named_and_mended(pushed, storage: Storage, tmp_path):
    hashes = cached(pushed)
    flipped, short, gone, swapped, long = sorted(hashes)[:5]
    content = storage.read(hashes[flipped])
    faults = {
        flipped: (bytes([content[0] ^ 1]) + content[1:], "on storage changed: its hash differs"),
        short: (storage.read(hashes[short])[:-1], "on storage truncated: "),
        gone: (None, "missing on storage"),
        swapped: (storage.read(hashes[long])[:1], "on storage truncated: "),
        long: (storage.read(hashes[long]) + b"x", "on storage too long: "),
    }
    if len(smaller := storage.read(hashes[gone])) <= len(storage.read(hashes[swapped])):
        faults[swapped] = (smaller, f"on storage swapped: it holds the content of {gone}")
    foreign = {
        f"{storage.root}/files/md5/ab/{'c' * 30}": (b"nothing of ours", "on storage foreign: no commit names it"),
        f"{storage.root}/files/md5/ab/{'d' * 30}.dir": (HOSTILE, "on storage hostile: a directory object that would"),
    }
    for path, (bad, _) in faults.items():
        storage.delete(storage.path(hashes[path]))
        if bad is not None:
            storage.write(storage.path(hashes[path]), bad)
    for path, (bad, _) in foreign.items():
        storage.write(path, bad)
    expected = {path: problem for path, (_, problem) in faults.items()}
    expected |= {path.removeprefix(f"{storage.root}/files/md5/"): problem for path, (_, problem) in foreign.items()}
    COUNTS["injected"] += len(expected)

    other = fresh_clone(pushed, storage, tmp_path / "two/fitmap")
    found = dict(findings(other))
    COUNTS["found"] += sum(found.get(path, "").startswith(problem) for path, problem in expected.items())
    assert found.keys() == expected.keys()
    for path, problem in expected.items():
        assert found[path].startswith(problem), path

    for path in (set(faults) - {gone}) & set(hashes):
        storage.delete(storage.path(hashes[path]))
    for path in foreign:
        storage.delete(path)
    pushed.run("dvc", "push", "--remote", "storage")
    assert findings(pushed) == []


@pytest.mark.parametrize("storage", ["local", "ssh"], indirect=True)
def test_a_link_on_the_remote_is_reported_and_not_followed(pushed, storage: Storage, tmp_path):
    path, md5 = next(iter(cached(pushed).items()))
    outside = tmp_path / "outside"
    outside.write_bytes(storage.read(md5))
    storage.delete(storage.path(md5))
    Path(storage.path(md5)).symlink_to(outside)
    COUNTS["injected"] += 1
    assert findings(pushed) == [(path, "on storage a link or folder, not a file")]
    COUNTS["found"] += 1


@pytest.mark.parametrize("storage", ["local", "ssh", "webdav"], indirect=True)
def test_a_killed_push_leaves_nothing_that_passes_for_an_artifact(clone, storage: Storage, tmp_path):
    storage.declare(clone)
    process = subprocess.Popen(["dvc", "push", "--jobs", "1"], cwd=clone.folder, env=clone.environment)
    deadline = time.monotonic() + 60
    while process.poll() is None and not storage.objects() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hashes = cached(clone)
    absent = {path for path, md5 in hashes.items() if storage.path(md5) not in storage.objects()}
    COUNTS["injected"] += 1
    found = dict(findings(clone))
    assert absent <= found.keys(), "each artifact that did not arrive is named"
    COUNTS["found"] += 1

    for path in storage.objects() - {storage.path(md5) for md5 in hashes.values()}:
        storage.delete(path)
    for path in found.keys() & hashes.keys() - absent:
        storage.delete(storage.path(hashes[path]))
    clone.run("dvc", "push")
    assert findings(clone) == []


def test_two_pushes_at_once_lose_nothing(clone, storage: Storage, tmp_path):
    other = git_clone(clone, tmp_path / "two/fitmap")
    clone.run("cp", "-r", ".dvc/cache", str(other.folder / ".dvc/cache"))
    pushes = []
    for pusher in (clone, other):
        storage.declare(pusher)
        pusher.environment["DVC_SITE_CACHE_DIR"] = str(pusher.folder.parent / "its-own-site-cache")
    for pusher in (clone, other):
        pushes.append(subprocess.Popen(["dvc", "push"], cwd=pusher.folder, env=pusher.environment))
    statuses = [push.wait(120) for push in pushes]
    COUNTS["injected"] += 1
    COUNTS["lost"] += sum(storage.path(md5) not in storage.objects() for md5 in cached(clone).values())
    assert 0 in statuses
    assert findings(clone) == []
    COUNTS["found"] += 1
    assert fitmap(clone, "verify", "--remote", "storage").endswith("no findings\n")
