"""`fitmap verify` finds what is wrong, names the repair, and trusts nothing that it checks."""

import io
import json
import shutil

import pytest
import yaml

from commands.verify import Artifact, content_problem, parse
from stages.common.errors import InputError
from tests.run_in_fork import dvc, fitmap
from tests.small_project import make_small_project


def lock(path: str, md5: str = "0" * 32) -> str:
    return yaml.safe_dump({"stages": {"make": {"outs": [{"path": path, "md5": md5, "size": 3}]}}})


def test_artifacts_are_read_from_the_lock_and_from_dvc_files():
    texts = {
        "dvc.lock": lock("a.csv"),
        "data/mine.dvc": yaml.safe_dump({"outs": [{"path": "mine", "md5": f"{1:032}.dir"}]}),
    }
    assert parse([*texts, "a.csv"], texts.get) == [
        Artifact("a.csv", "0" * 32, 3, cached=False),
        Artifact("data/mine", f"{1:032}.dir", None, cached=True),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lock("../../home/.profile"), "leaves the project"),
        (lock("/etc/passwd"), "leaves the project"),
        (lock("..\\x"), "leaves the project"),
        (lock("C:\\x"), "leaves the project"),
        (lock("data", "../../etc/passwd"), "no file's md5"),
        ("stages: [", "is damaged"),
        ("!!python/object/apply:os.system [id]", "is damaged"),
    ],
    ids=str,
)
def test_a_hostile_lock_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse(["dvc.lock"], lambda name: text, "abc1234")


def test_no_more_is_read_than_the_lock_says():
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return b"x" * size

    file = Endless()
    artifact = Artifact("a.csv", "0" * 32, 10, True)
    assert content_problem(lambda mode: file, 10, artifact, {}) == "changed: its hash differs"
    assert file.taken == 11
    assert content_problem(None, 11, artifact, {}) == "too long: 11 bytes instead of 10"


@pytest.fixture
def project(tmp_path):
    """A project with pictures of one's own under `dvc add`, everything pushed to the remote `storage`."""
    project = make_small_project(tmp_path / "project")
    pictures = project.folder / "data/input/images/mine"
    pictures.mkdir()
    for name in "abc":
        (pictures / f"{name}.png").write_text(name)
    project.fork(dvc, "add", "-q", str(pictures))
    project.repro()
    project.commit("pictures")
    project.fork(dvc, "remote", "modify", "--local", "storage", "url", str(tmp_path / "storage"))
    project.fork(dvc, "push", "-q", "--all-commits")
    return project


def findings(project, *arguments: str) -> dict[str, dict]:
    printed = project.fork(fitmap, "verify", "--json", *arguments, fails=True)
    return {finding["path"]: finding for finding in json.loads(printed)["findings"]}


def test_each_fault_in_the_workspace_is_named_and_repaired(project, tmp_path):
    assert "no findings" in project.fork(fitmap, "verify")
    folder = project.folder
    content = {path: (folder / path).read_bytes() for path in ("data/copy.npz", "data/list.csv")}
    faults = {
        "data/copy.npz": (
            "changed: its hash differs",
            bytes([content["data/copy.npz"][0] ^ 1]) + content["data/copy.npz"][1:],
        ),
        "data/list.csv": ("truncated: ", content["data/list.csv"][:-1]),
        "plots/count.png": ("too long: ", content["data/list.csv"] * 9),
        "metrics/map.json": ("missing", None),
        "data/input/images/mine/a.png": ("swapped: it holds the content of data/input/images/mine/b.png", b"b"),
        "data/input/images/mine/c.png": ("a link that leads out of the project", None),
    }
    for path, (_, bad) in faults.items():
        (folder / path).unlink()
        if bad is not None:
            (folder / path).write_bytes(bad)
    shutil.copy(folder / "dvc.yaml", tmp_path / "c.png")
    (folder / "data/input/images/mine/c.png").symlink_to(tmp_path / "c.png")
    found = findings(project)
    assert found.keys() == faults.keys()
    for path, (problem, _) in faults.items():
        assert found[path]["problem"].startswith(problem)
        project.run("sh", "-c", found[path]["repair"])
    assert "no findings" in project.fork(fitmap, "verify")
    assert project.repro() == []


def test_outputs_made_under_other_settings_are_named(project):
    project.set({"curve": {"seed": 7}, "tsne": {"perplexity": 3}})
    (finding,) = findings(project).values()
    assert finding["path"] == "outputs of load"
    assert finding["problem"] == "made under other settings: curve.seed = 0, now 7"
    project.run("sh", "-c", finding["repair"])
    assert "no findings" in project.fork(fitmap, "verify")


def test_faults_on_a_remote_are_found_and_files_of_your_own_are_not_foreign(project, tmp_path):
    assert "no findings" in project.fork(fitmap, "verify", "--remote", "storage", "--all-commits")
    lost = next(path for path in (tmp_path / "storage/files/md5").rglob("*") if path.suffix == ".dir")
    lost.unlink()
    foreign = tmp_path / "storage/files/md5/ab" / ("c" * 30)
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("not ours")
    picture = project.folder / "data/input/images/mine/a.png"
    picture.unlink()
    picture.write_text("x")
    printed = project.fork(fitmap, "verify", "--json", "--remote", "storage", fails=True)
    assert [(finding["path"], finding["problem"]) for finding in json.loads(printed)["findings"]] == [
        ("data/input/images/mine/a.png", "changed: its hash differs"),
        ("data/input/images/mine", "missing on storage"),
        (f"ab/{'c' * 30}", "on storage foreign: no commit names it"),
    ]
