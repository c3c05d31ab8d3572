"""`fitmap verify`: what is wrong with the workspace is found; nothing of what is checked is trusted."""

import io
import json
import shutil

import pytest
import yaml

from commands.locked import Artifact, parse_lock
from commands.verify import content_problem, digest, directory_problem
from stages.common.errors import InputError
from tests.forks import fitmap

GRAPH = "stages: {make: {cmd: x, outs: [a.csv, {b.json: {cache: false}}]}}"


def lock(path: str, md5: str = "0" * 32) -> str:
    return yaml.safe_dump({"stages": {"make": {"outs": [{"path": path, "md5": md5, "size": 3}]}}})


def test_a_lock_is_read_with_what_git_keeps():
    assert parse_lock(lock("a.csv"), GRAPH, "") == [Artifact("a.csv", "0" * 32, 3, True)]
    assert not parse_lock(lock("b.json"), GRAPH, "")[0].cached


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lock("../../home/.profile"), "leaves the project"),
        (lock("/etc/passwd"), "leaves the project"),
        (lock("data", "0" * 32 + ".dir"), "no file's md5"),
        (lock("data", "../../etc/passwd"), "no file's md5"),
        ("stages: [", "is damaged"),
        ("!!python/object/apply:os.system [id]", "is damaged"),
    ],
    ids=str,
)
def test_a_hostile_lock_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_lock(text, GRAPH, "abc1234")


def test_no_more_is_read_than_the_lock_says():
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return b"x" * size

    file = Endless()
    assert digest(file, 10)[1] == 11
    assert file.taken == 11
    artifact = Artifact("a.csv", "0" * 32, 10, True)
    assert content_problem(None, 11, artifact, {}) == "too long: 11 bytes instead of 10"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "..\\x", "C:\\x"])
def test_a_directory_object_that_would_write_outside_is_hostile(path):
    assert directory_problem(json.dumps([{"relpath": path}]).encode()).startswith("hostile")
    assert directory_problem(b'[{"relpath": "a/b.csv"}]').startswith("foreign")
    for damaged in (b"[" * 100_000, b"\xff", b"{}x", b'[{"relpath": 1}]', b"[1]"):
        assert "damaged" in directory_problem(damaged)


def test_each_fault_in_the_workspace_is_named_and_mended(pipeline, tmp_path):
    assert "no findings" in pipeline.fork(fitmap, "verify")
    folder = pipeline.folder
    content = (folder / "data/map.npz").read_bytes()
    page = (folder / "plots/map.html").read_bytes()
    curve = (folder / "data/curve.csv").read_bytes()
    shutil.copy(folder / "plots/network.png", tmp_path)
    faults = {
        "data/map.npz": ("changed: its hash differs", bytes([content[0] ^ 1]) + content[1:]),
        "plots/map.html": ("truncated: ", page[:-1]),
        "plots/regressor_fit.png": ("missing", None),
        "data/images.npz": ("swapped: it holds the content of data/curve.csv", curve),
        "plots/residuals.png": ("too long: ", (folder / "plots/residuals.png").read_bytes() + b"x"),
    }
    for path, (_, bad) in faults.items():
        (folder / path).unlink()
        if bad is not None:
            (folder / path).write_bytes(bad)
    (folder / "plots/network.png").unlink()
    (folder / "plots/network.png").symlink_to(tmp_path / "network.png")
    faults["plots/network.png"] = ("a link that leads out of the project", None)

    printed = pipeline.fork(fitmap, "verify", "--json", fails=True)
    found = {finding["path"]: finding for finding in json.loads(printed)["findings"]}
    assert found.keys() == faults.keys()
    for path, (problem, _) in faults.items():
        assert found[path]["problem"].startswith(problem)
        pipeline.run("sh", "-c", found[path]["repair"])
    assert "no findings" in pipeline.fork(fitmap, "verify")
    assert pipeline.repro() == []
