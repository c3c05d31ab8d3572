"""The same inputs give the same bytes, whoever runs the pipeline, and wherever and however it is run."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.audit.declared import paths
from tests.conftest import Clone

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
THREADS = ("OMP", "MKL", "OPENBLAS", "NUMBA")
CIRCUMSTANCES = {
    "the same again": {},
    "one thread": {f"{library}_NUM_THREADS": "1" for library in THREADS},
    "two threads": {f"{library}_NUM_THREADS": "2" for library in THREADS},
    "another hash seed": {"PYTHONHASHSEED": "12345"},
    "a locale without UTF-8": {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "another home": {"HOME": "another-home", "USER": "somebody", "LOGNAME": "somebody"},
    "nothing compiled before": {"NUMBA_CACHE_DIR": ".numba"},
    "another umask": {},
    "a deeper folder": {},
}
QUICK = ("load_images", "train_autoencoder", "embed_latents", "render_figures")  # a few seconds together


def moved(pipeline: Clone, parent: Path, environment: dict[str, str], deeper: str = "") -> Clone:
    """A copy of the project after its run, in another folder, and in other circumstances."""
    clone = Clone(shutil.copytree(pipeline.folder, parent / deeper / "fitmap"))
    clone.environment = pipeline.environment | environment
    if "HOME" in environment:
        clone.environment["HOME"] = str(parent / environment["HOME"])
        Path(clone.environment["HOME"]).mkdir()
    return clone


@pytest.mark.full
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
def test_the_whole_pipeline_gives_the_identical_lock(pipeline, tmp_path, circumstance, count):
    deeper = "far/down/ä ü/below" if circumstance == "a deeper folder" else ""
    clone = moved(pipeline, tmp_path, CIRCUMSTANCES[circumstance], deeper)
    before = os.umask(0o077 if circumstance == "another umask" else 0o022)
    try:
        assert set(clone.repro("--force")) == set(GRAPH)
    finally:
        os.umask(before)
    assert (clone.folder / "dvc.lock").read_text() == (pipeline.folder / "dvc.lock").read_text()
    count("forced runs with the identical dvc.lock")


def test_some_stages_give_the_locked_bytes_with_everything_different(pipeline, tmp_path):
    environment = {name: value for values in CIRCUMSTANCES.values() for name, value in values.items()}
    environment |= CIRCUMSTANCES["one thread"]
    del environment["NUMBA_CACHE_DIR"]  # compiling takes longer than all the rest
    clone = moved(pipeline, tmp_path, environment, "far/down/ä ü/below")
    locked = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    for stage in QUICK:
        for out in paths(GRAPH[stage]["outs"]):
            (clone.folder / out).unlink()
        done = subprocess.run(
            [sys.executable, "-m", "stages", stage], cwd=clone.folder, env=clone.environment, umask=0o077,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        for out in locked[stage]["outs"]:
            assert hashlib.md5((clone.folder / out["path"]).read_bytes()).hexdigest() == out["md5"], out["path"]
