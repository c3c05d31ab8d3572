"""Killed runs, full disks and read-only folders leave whole artifacts, and the next run makes the same bytes."""

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

from tests.conftest import Clone
from tests.run_in_fork import SERVER, stages

OLD = b"made by an earlier run"


def locked(folder: Path, *names: str) -> list[str]:
    """Return the paths of the outputs of some stages, or of all."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return [out["path"] for name in names or lock for out in lock[name]["outs"]]


def contents(folder: Path, paths: list[str]) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in paths}


def run_stage(folder: str, stage: str) -> None:
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    stages(stage)


def started(folder: Path, stage: str):
    child = SERVER.Process(target=run_stage, args=(str(folder), stage))
    child.start()
    return child


def is_writing(folder: Path) -> bool:
    return any(part for name in ("data", "metrics", "plots") for part in (folder / name).glob(".*.part"))


def is_growing(path: str, table: bytes, whole: bytes) -> bool:
    """Tell whether a table of losses holds the first rows of `whole`: it grows while a stage trains."""
    return path.endswith("_loss.csv") and table.endswith(b"\n") and whole.startswith(table)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.full)])
@pytest.mark.parametrize("stage", ["train_regressor", "evaluate_map"])
def test_a_killed_stage_leaves_old_outputs_or_new_ones(pipeline, tmp_path, stage, kills):
    folder, chance = pipeline.copy(tmp_path).folder, random.Random(kills)
    paths = locked(folder, stage)
    whole = contents(folder, paths)
    start, child = time.monotonic(), started(folder, stage)
    child.join()
    seconds = time.monotonic() - start
    assert contents(folder, paths) == whole
    for trial in range(kills):
        for path in paths:
            (folder / path).write_bytes(OLD)
        end, child = time.monotonic() + chance.uniform(0, seconds), started(folder, stage)
        while time.monotonic() < end and child.exitcode is None and not (trial % 2 and is_writing(folder)):
            time.sleep(0.0005)
        child.kill()
        child.join()
        for path, bytes_now in contents(folder, paths).items():
            assert bytes_now in (OLD, whole[path]) or is_growing(path, bytes_now, whole[path]), f"half of {path}"


@pytest.mark.parametrize(
    ("kills", "longest", "targets"),
    [(2, 5, ["generate_curve", "train_regressor"]), pytest.param(25, 12, [], marks=pytest.mark.full)],
)
def test_a_killed_dvc_repro_is_completed_by_the_next_one(pipeline, tmp_path, kills, longest, targets):
    clone, chance = pipeline.copy(tmp_path), random.Random(kills)
    paths = locked(clone.folder, *targets)
    whole = contents(clone.folder, paths)
    for path in paths:
        (clone.folder / path).unlink()
    for path in (".dvc/cache", ".dvc/tmp", "dvc.lock"):
        shutil.rmtree(clone.folder / path, ignore_errors=True)
    (clone.folder / "dvc.lock").unlink(missing_ok=True)
    for _ in range(kills):
        run = subprocess.Popen(
            ["dvc", "repro", *targets], cwd=clone.folder, env=clone.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with suppress(subprocess.TimeoutExpired):
            run.wait(chance.uniform(0.5, longest))
        os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
        run.wait()
    clone.repro(*targets)
    assert contents(clone.folder, paths) == whole
    assert clone.repro(*targets) == []


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a tmpfs over `folder` that holds copies of its files."""
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
    """Leave no byte free on the disk of `folder`."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


@pytest.mark.parametrize(("trouble", "told"), [("full", "No space left on device"), ("read-only", "Read-only file")])
@pytest.mark.parametrize("stage", ["generate_curve", pytest.param("embed_latents", marks=pytest.mark.full)])
def test_a_full_disk_and_a_read_only_folder_leave_the_old_outputs(pipeline, tmp_path, trouble, told, stage):
    clone: Clone = pipeline.copy(tmp_path)
    data, paths = clone.folder / "data", locked(clone.folder)
    whole = contents(clone.folder, paths)
    with mounted(data, "ro" if trouble == "read-only" else "rw"):
        if trouble == "full":
            fill_up(data)
        printed = clone.fork(stages, stage, fails=True)
        assert f"cannot be written ({told}" in printed
        assert "Traceback" not in printed
        assert contents(clone.folder, paths) == whole
        assert not list(data.glob(".*.part"))
