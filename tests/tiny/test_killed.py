"""Runs that are killed, folders that cannot be written: never half an artifact, and the next run makes the same bytes.

Every trial works on copies of the tiny pipeline's project, with its own cache.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from tests.audit.declared import paths
from tests.conftest import Clone
from tests.run_in_fork import SERVER, stages

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
OUTS = {name: paths(stage["outs"] + stage.get("metrics", [])) for name, stage in GRAPH.items()}
OLD = b"what an earlier run has made"


def contents(folder: Path) -> dict[str, bytes]:
    """Every artifact by its path."""
    return {out: (folder / out).read_bytes() for outs in OUTS.values() for out in outs}


def run_stage(folder: str, stage: str, interval: float) -> None:
    """Run a stage in this process as `python -m stages` does, with many checkpoints."""
    from stages.common import checkpoint

    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    checkpoint.INTERVAL = interval
    stages(stage)


def started(folder: Path, stage: str):
    child = SERVER.Process(target=run_stage, args=(str(folder), stage, 0.05))
    child.start()
    return child


def is_writing(folder: Path) -> bool:
    return any(part for name in ("data", "metrics", "plots") for part in (folder / name).glob("**/.*.part"))


def unfinished(folder: Path) -> list[Path]:
    """The checkpoints that lie there, whole or half written."""
    return [path for path in (folder / ".scratch").iterdir() if path.name != ".gitignore"]


FEW = ("train_regressor", "embed_latents", "evaluate_map")


@pytest.mark.parametrize(("names", "rounds"), [(FEW, 1), pytest.param(GRAPH, 15, marks=pytest.mark.full)])
def test_a_stage_killed_at_any_moment_leaves_old_artifacts_or_new_ones(pipeline, tmp_path, names, rounds, count):
    folder, whole = pipeline.copy(tmp_path).folder, contents(pipeline.folder)
    seconds, chance = {}, random.Random(rounds)
    for stage in names:
        start, child = time.monotonic(), started(folder, stage)
        child.join()
        assert child.exitcode == 0, stage
        seconds[stage] = time.monotonic() - start
    assert contents(folder) == whole, "checkpoints change nothing"
    for trial, stage in enumerate(list(names) * rounds):
        for out in OUTS[stage]:
            (folder / out).write_bytes(OLD)
        moment, child = chance.uniform(0, 1.1 * seconds[stage]), started(folder, stage)
        start = time.monotonic()
        while time.monotonic() - start < moment and child.exitcode is None:
            if trial % 2 and is_writing(folder):
                break
            time.sleep(0.0005)
        child.kill()
        child.join()
        for out in OUTS[stage]:
            assert (folder / out).read_bytes() in (OLD, whole[out]), f"half of {out}"
        count("kill trials")
        # It goes on from where it was. Killed after its last write, it has not tidied up yet: the next run does.
        if any((folder / out).read_bytes() == OLD for out in OUTS[stage]) or unfinished(folder):
            again = started(folder, stage)
            again.join()
            assert again.exitcode == 0
        assert contents(folder) == whole, stage
        assert not unfinished(folder)


def assert_whole(clone: Clone, pipeline: Clone) -> None:
    """The artifacts, the lock and the cache are those of a run that nobody disturbed."""
    assert contents(clone.folder) == contents(pipeline.folder)
    assert (clone.folder / "dvc.lock").read_text() == (pipeline.folder / "dvc.lock").read_text()
    assert clone.repro() == []
    assert clone.run("git", "status", "--porcelain") == ""
    for entry in (clone.folder / ".dvc/cache/files/md5").glob("??/*"):
        if entry.suffix != ".dir":
            assert hashlib.md5(entry.read_bytes()).hexdigest() == entry.parent.name + entry.name, entry


def start_over(clone: Clone) -> None:
    """A project in which nothing has run yet."""
    for path in (".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(clone.folder / path, ignore_errors=True)
    for out in [out for outs in OUTS.values() for out in outs]:
        (clone.folder / out).unlink(missing_ok=True)
    (clone.folder / "dvc.lock").unlink(missing_ok=True)


def repro_of(clone: Clone, *targets: str) -> subprocess.Popen:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = ["dvc", "repro", *targets]
    return subprocess.Popen(command, cwd=clone.folder, env=clone.environment, start_new_session=True, **quiet)


@pytest.mark.parametrize(
    ("kills", "longest", "targets"),
    [(2, 5, ["generate_curve", "train_regressor"]), pytest.param(25, 12, [], marks=pytest.mark.full)],
)
def test_dvc_repro_killed_again_and_again_completes_to_the_same_bytes(
    pipeline, tmp_path, kills, longest, targets, count
):
    clone, chance, killed = pipeline.copy(tmp_path), random.Random(kills), 0
    start_over(clone)
    while killed < kills:
        run = repro_of(clone, *targets)
        try:
            run.wait(chance.uniform(0.5, longest))  # seconds
            longest /= 2  # done before it could be killed: begin anew, and be quicker
            start_over(clone)
        except subprocess.TimeoutExpired:
            if chance.random() < 0.3:
                run.kill()  # DVC alone: the stage that it has started goes on beside the next run
            else:
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            killed += 1
            count("kill trials")
    clone.repro(*targets)
    if targets:
        clone.run("git", "checkout", "--", "dvc.lock", "metrics", "plots")
        shutil.copytree(pipeline.folder / ".dvc/cache", clone.folder / ".dvc/cache", dirs_exist_ok=True)
        clone.repro()
    assert_whole(clone, pipeline)


@pytest.mark.full
def test_two_runs_at_once_do_not_spoil_each_other(pipeline, tmp_path):
    clone = pipeline.copy(tmp_path)
    clone.set({"curve": {"seed": 1}, "map_page": {"title": "Another"}})
    runs = [repro_of(clone, target) for target in ("train_regressor", "render_map_page")]
    status = [run.wait() for run in runs]
    assert 0 in status, "one of them may find the project locked, and says so"
    clone.run("git", "checkout", "--", "params.yaml")
    clone.repro()
    assert_whole(clone, pipeline)


def test_an_out_that_has_become_a_folder_is_made_again(pipeline, tmp_path):
    clone = pipeline.copy(tmp_path)
    out = clone.folder / "data/curve.csv"
    out.unlink()
    (out / "deep").mkdir(parents=True)
    refused = clone.fork(stages, "generate_curve", fails=True)
    assert "fitmap: data/curve.csv cannot be written (Is a directory)" in refused
    assert "Traceback" not in refused
    clone.repro("--force", "--single-item", "generate_curve")
    assert_whole(clone, pipeline)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A tmpfs over `folder`, into which its files are copied first."""
    aside = shutil.copytree(folder, folder.with_name("aside"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.decode().strip()}")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_up(folder: Path) -> None:
    """Leave no byte free where `folder` lies."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


@pytest.mark.parametrize(("trouble", "told"), [("full", "No space left on device"), ("read-only", "Read-only file")])
@pytest.mark.parametrize("stage", ["generate_curve", "embed_latents"])
def test_a_full_disk_and_a_read_only_folder_leave_the_old_artifacts(pipeline, tmp_path, trouble, told, stage, count):
    clone = pipeline.copy(tmp_path)
    data, whole = clone.folder / "data", contents(pipeline.folder)
    with mounted(data, "ro" if trouble == "read-only" else "rw"):
        if trouble == "full":
            fill_up(data)
        printed = clone.fork(stages, stage, fails=True)
        assert f"cannot be written ({told}" in printed
        assert "Traceback" not in printed
        assert contents(clone.folder) == whole
        assert not list(data.glob(".*.part"))
    count("full disks and read-only folders")
