"""Every command of docs/experiments.md, in order, in the tiny pipeline with a git and a DVC remote."""

import re
import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.commands_in_docs import sections
from tests.conftest import Clone

PAGE = Path("docs/experiments.md")
ADDRESS = "https://example.org/you/fitmap"
ELSEWHERE = "dvc artifacts get", "dvc get"  # run outside the project
WAITED_FOR = "again, until all of them are done"

pytestmark = pytest.mark.remotes


@pytest.fixture(scope="module")
def project(pipeline, tmp_path_factory) -> Clone:
    """The pipeline after its run, and remotes in two folders beside it."""
    folder = tmp_path_factory.mktemp("experiments")
    clone = pipeline.copy(folder)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "fitmap").write_text(f'#!/bin/sh\nexec {sys.executable} -m commands.fitmap "$@"\n')
    (bin_folder / "fitmap").chmod(0o755)
    clone.environment["PATH"] = f"{bin_folder}:{clone.environment['PATH']}"
    for who in ("AUTHOR", "COMMITTER"):
        clone.environment |= {f"GIT_{who}_NAME": "test", f"GIT_{who}_EMAIL": "test@example.org"}
    clone.run("git", "init", "-q", "--bare", str(folder / "origin.git"))
    clone.run("git", "remote", "add", "origin", str(folder / "origin.git"))
    clone.run("dvc", "remote", "modify", "storage", "url", str(folder / "storage"))
    clone.commit("a remote")
    clone.run("git", "push", "-q", "origin", "HEAD")
    return clone


def run(project: Clone, line: str, elsewhere: Path) -> None:
    """Run one line of the page; its comment says whether it fails, and with which message."""
    command, _, comment = map(str.strip, line.partition("  #"))
    command = command.replace(ADDRESS, str(project.folder.parent / "origin.git"))
    if command.startswith("fitmap export"):
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra `onnx`)")
    place = Clone(elsewhere) if command.startswith(ELSEWHERE) else project
    place.environment = project.environment
    if WAITED_FOR in comment:
        wait_for_queue(project)
    if command.startswith("fitmap compare"):
        command = f"{command} || test $? = 1"  # the metrics may differ or not
    printed = place.run("bash", "-c", command, fails=comment.startswith("fails"))
    assert "Traceback" not in printed
    if comment.startswith("fails: "):
        assert comment.removeprefix("fails: ") in printed


def wait_for_queue(project: Clone) -> None:
    for _ in range(300):
        states = re.findall(r"\b(Queued|Running|Success|Failed)\b", project.run("dvc", "queue", "status"))
        if not {"Queued", "Running"} & set(states):
            break
        time.sleep(1)
    assert states == ["Success"] * 2


def test_every_command_works(project, tmp_path):
    parts = sections(PAGE)
    assert list(parts) == [
        "One experiment", "What `-S` refuses", "A grid", "Keep one, remove the others", "Send one to a colleague",
        "Take a model away",
    ]  # fmt: skip
    for blocks in parts.values():
        for line in "".join(blocks).splitlines():
            run(project, line, tmp_path)
    assert (tmp_path / "regressor.safetensors").read_bytes() == (
        project.folder / "data/regressor.safetensors"
    ).read_bytes()
    assert (tmp_path / "map.npz").read_bytes() == (project.folder / "data/map.npz").read_bytes()
    assert "activation: relu" in (project.folder / "params.yaml").read_text()

    script = re.search(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[1]
    script = script.replace(ADDRESS, str(project.folder.parent / "origin.git"))
    elsewhere = Clone(tmp_path)
    elsewhere.environment = project.environment
    printed = elsewhere.run(sys.executable, "-c", script)
    assert "data/regressor.safetensors" in printed
    assert str(project.metrics("map")["trustworthiness"]) in printed


def test_a_colleague_gets_the_experiment(project, tmp_path):
    colleague = Clone(tmp_path / "colleague")
    project.run("git", "clone", "-q", str(project.folder.parent / "origin.git"), str(colleague.folder))
    colleague.environment = project.environment
    assert "relu" in colleague.run("dvc", "exp", "list", "origin", "--all-commits")
    for command in shlex.split("dvc exp pull origin relu"), shlex.split("dvc exp apply relu"):
        colleague.run(*command)
    assert "activation: relu" in (colleague.folder / "params.yaml").read_text()
    assert colleague.repro("evaluate_regressor") == []
