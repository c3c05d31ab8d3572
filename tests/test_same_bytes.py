"""The same inputs give the same bytes, whatever folder, user, locale or number of threads they are made with."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import Clone

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
QUICK = ("load_images", "train_autoencoder", "embed_latents", "render_figures")  # a few seconds together
THREADS = [f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")]
ELSEWHERE = {
    "PYTHONHASHSEED": "12345", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0",
    "TZ": "Pacific/Kiritimati", "USER": "somebody", "LOGNAME": "somebody",
}  # fmt: skip


def moved(pipeline: Clone, parent: Path, environment: dict[str, str]) -> Clone:
    """Copy the project after its run into a folder below `parent`, with another environment and home."""
    clone = Clone(Path(shutil.copytree(pipeline.folder, parent / "far/down/ä ü/below/fitmap")))
    clone.environment = pipeline.environment | environment | {"HOME": str(parent)}
    return clone


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.full
def test_the_whole_pipeline_gives_the_same_lock(pipeline, tmp_path, threads):
    clone = moved(pipeline, tmp_path, dict.fromkeys(THREADS, threads) | {"NUMBA_CACHE_DIR": ".numba"})
    assert set(clone.repro("--force")) == set(GRAPH)
    assert (clone.folder / "dvc.lock").read_text() == (pipeline.folder / "dvc.lock").read_text()


def test_some_stages_give_the_locked_bytes_with_everything_different(pipeline, tmp_path):
    clone = moved(pipeline, tmp_path, ELSEWHERE | dict.fromkeys(THREADS, "1"))
    locked = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    for stage in QUICK:
        for out in locked[stage]["outs"]:
            (clone.folder / out["path"]).unlink()
        command = GRAPH[stage]["cmd"].split()
        done = subprocess.run(
            [shutil.which(command[0]), *command[1:]], cwd=clone.folder, env=clone.environment | {"PYTHONPATH": "."},
            umask=0o077, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        for out in locked[stage]["outs"]:
            assert hashlib.md5((clone.folder / out["path"]).read_bytes()).hexdigest() == out["md5"], out["path"]
