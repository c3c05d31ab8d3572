"""`fitmap verify` finds what is wrong, names the repair, and trusts nothing that it checks."""

import json
import shutil

import pytest

from tests.run_in_fork import dvc, fitmap


@pytest.fixture(scope="module")
def pushed(small_project, tmp_path_factory):
    """A project with pictures of one's own under `dvc add`, everything pushed to the remote `storage` beside it."""
    project = small_project.copy(tmp_path_factory.mktemp("verify"))
    pictures = project.folder / "data/input/images/mine"
    pictures.mkdir()
    for name in "abc":
        (pictures / f"{name}.png").write_text(name)
    project.fork(dvc, "add", "-q", str(pictures))
    project.repro()
    project.commit("pictures")
    project.fork(dvc, "remote", "modify", "--local", "storage", "url", "../storage")
    project.fork(dvc, "push", "-q", "--all-commits")
    return project


@pytest.fixture
def project(pushed, tmp_path):
    shutil.copytree(pushed.folder.parent / "storage", tmp_path / "storage")
    return pushed.copy(tmp_path)


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
        "data/input/images/mine/c.png": ("a link that leads elsewhere", None),
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
    project.set({"curve": {"seed": 7}})
    project.repro()
    project.commit("another seed")
    project.fork(dvc, "push", "-q", "--run-cache")
    storage = tmp_path / "storage/files/md5"
    assert "no findings" in project.fork(fitmap, "verify", "--remote", "storage", "--all-commits")
    next(path for path in storage.rglob("*") if path.suffix == ".dir").unlink()
    foreign = storage / "ab" / ("c" * 30)
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("not ours")
    picture = project.folder / "data/input/images/mine/a.png"
    picture.unlink()
    picture.write_text("x")
    printed = project.fork(fitmap, "verify", "--json", "--remote", "storage", fails=True)
    assert [(finding["path"], finding["problem"]) for finding in json.loads(printed)["findings"]] == [
        ("data/input/images/mine/a.png", "changed: its hash differs"),
        ("data/input/images/mine", "on storage: missing"),
        (f"ab/{'c' * 30}", "on storage: foreign, no commit names it"),
    ]


def test_a_damaged_object_of_an_earlier_commit_is_found(project, tmp_path):
    old = project.folder / "data/list.csv"
    size = old.stat().st_size
    (lost,) = [
        path
        for path in (tmp_path / "storage/files/md5").rglob("*")
        if path.is_file() and path.read_bytes() == old.read_bytes()
    ]
    (project.folder / "data/input/images/mine/d.png").write_text("d")
    project.fork(dvc, "add", "-q", "data/input/images/mine")
    project.repro()
    project.commit("one more")
    project.fork(dvc, "push", "-q")
    lost.chmod(0o600)
    lost.write_bytes(lost.read_bytes()[:-1])
    assert "no findings" in project.fork(fitmap, "verify", "--remote", "storage")
    found = findings(project, "--remote", "storage", "--all-commits")
    ((path, finding),) = found.items()
    assert path.startswith("data/list.csv of commit ")
    assert finding["problem"] == f"on storage: truncated: {size - 1} bytes of {size}"


def test_data_of_ones_own_that_no_clone_has_are_named(project):
    own = project.folder / "data/input/images/yours"
    shutil.copytree(project.folder / "data/input/images/mine", own)
    for source, paths in (("data/input/images/mine", set()), ("data/input/images/yours", {"data/input/images/yours"})):
        project.set({"images": {"source": source}})
        printed = project.fork(fitmap, "verify", "--json", "--remote", "storage", fails=bool(paths))
        assert {finding["path"] for finding in json.loads(printed)["findings"]} == paths


@pytest.mark.parametrize("md5", ["../../etc/passwd", "a" * 33])
def test_a_hash_that_leads_out_of_the_cache_is_refused(project, md5):
    lock = project.folder / "dvc.lock"
    lines = lock.read_text().splitlines()
    last = max(i for i, line in enumerate(lines) if line.strip().startswith("md5: "))
    lines[last] = f"      md5: {md5}"
    lock.write_text("\n".join(lines))
    assert f"has the hash '{md5}', no file's md5: do not pull it" in project.fork(fitmap, "verify", fails=True)


def test_a_damaged_lock_is_one_line(project):
    (project.folder / "dvc.lock").write_text("stages: [")
    printed = project.fork(fitmap, "verify", fails=True)
    assert printed.startswith("fitmap: the workspace cannot be checked (")
    assert printed.count("\n") == 1
