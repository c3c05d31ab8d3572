"""The recipe "Your own data" of docs/sharing.md: pictures reach another clone by DVC, and never git."""

from pathlib import Path

import pytest

from tests.commands_in_docs import sections
from tests.conftest import Clone
from tests.run_in_fork import dvc

RECIPE = "\n".join(sections(Path("docs/sharing.md"))["Your own data"])


@pytest.fixture
def project(small_project, tmp_path) -> Clone:
    """A small project, pictures in the folder `photos`, and a remote in a folder."""
    project = small_project.copy(tmp_path / "one")
    project.environment |= {"HOME": str(tmp_path), "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.org"}
    project.environment |= {"GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.org"}
    (tmp_path / "photos/cats").mkdir(parents=True)
    for path in ("cats/1.png", "2.png"):
        (tmp_path / "photos" / path).write_text(path)
    project.fork(dvc, "remote", "modify", "--local", "storage", "url", str(tmp_path / "storage"))
    return project


def files_of_experiment(project: Clone, name: str) -> list[str]:
    """Return the files that the experiment's commit has in git."""
    references = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    (reference,) = [reference for reference in references if reference.endswith(f"/{name}")]
    return project.run("git", "ls-tree", "-r", "--name-only", reference).splitlines()


def test_another_clone_gets_the_pictures_and_runs_nothing(project, tmp_path):
    project.run("bash", "-euo", "pipefail", "-c", RECIPE)
    assert project.run("git", "status", "--porcelain") == ""
    assert "1.png" in (project.folder / "data/list.csv").read_text(), "the stage has read the pictures"
    other = Clone(tmp_path / "two/project")
    project.run("git", "clone", "-q", str(project.folder), str(other.folder))
    other.fork(dvc, "remote", "modify", "--local", "storage", "url", str(tmp_path / "storage"))
    other.fork(dvc, "pull", "--quiet")
    assert (other.folder / "data/input/images/mine/cats/1.png").read_text() == "cats/1.png"
    assert other.repro("--pull") == []

    project.fork(dvc, "exp", "run", "--quiet", "--name", "another", "-S", "curve.seed=7")
    assert [path for path in files_of_experiment(project, "another") if path.endswith(".png")] == []
    assert "data/input/images/mine.dvc" in files_of_experiment(project, "another")


def test_an_experiment_leaves_pictures_that_nobody_added_out_of_git(project, tmp_path):
    project.run("cp", "-r", str(tmp_path / "photos"), "data/input/images/mine")
    project.fork(dvc, "exp", "run", "--quiet", "--name", "another", "-S", "curve.seed=7")
    assert "1.png" in (project.folder / "data/list.csv").read_text()
    assert [path for path in files_of_experiment(project, "another") if path.endswith(".png")] == []
