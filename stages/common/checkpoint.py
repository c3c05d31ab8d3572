"""Checkpoints of long work: a stage that was interrupted goes on where it was, to the same bytes.

They lie in `.scratch/`, which neither git nor DVC looks at, and hold for the code, parameters and inputs of the run
that wrote them, and for the libraries it used: with any other they are left aside.
"""

import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stages.common.artifacts import read_arrays, write_arrays
from stages.common.errors import InputError

FOLDER = Path(".scratch")
INTERVAL = 5  # seconds between two of them; the result does not depend on when they were written
LIBRARIES = ("numpy", "scipy", "torch", "numba")
_running: dict = {}


class NoCheckpoint:
    """Keeps nothing."""

    def load(self) -> dict[str, np.ndarray] | None:
        """The state that was saved last, arrays by name; None if there is none."""
        return None

    def save(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        """Keep what `state` returns, unless the last time was only just now."""

    def part(self, name: str) -> "NoCheckpoint":
        """Another checkpoint of the same run, for work that goes on beside it or after it."""
        return self


class Checkpoint(NoCheckpoint):
    """Keeps the state of one piece of work in one `.npz` file."""

    def __init__(self, path: Path, key: str, interval: float):
        self.path, self.key, self.interval = path, key, interval
        self.saved = time.monotonic()

    def load(self) -> dict[str, np.ndarray] | None:
        if not self.path.exists():
            return None
        with contextlib.suppress(InputError):  # damaged: as good as none
            state = read_arrays(str(self.path))
            if state.pop("key", None) == self.key:
                return state
        return None

    def save(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        if time.monotonic() - self.saved >= self.interval:
            with contextlib.suppress(InputError):  # no room for it: the work itself goes on
                write_arrays(str(self.path), key=np.array(self.key), **state())
            self.saved = time.monotonic()

    def part(self, name: str) -> "Checkpoint":
        return Checkpoint(self.path.with_suffix(f".{name}.npz"), self.key, self.interval)


def begin(stage: str, origin: dict) -> None:
    """From here on `stage` runs, made from `origin` (stages/pipeline/provenance.py), and `run_checkpoint` is its."""
    _running.update(stage=stage, origin=origin)


def run_checkpoint() -> NoCheckpoint:
    """The checkpoint of the stage that `python -m stages` runs; one that keeps nothing where none is run so."""
    if not _running:
        return NoCheckpoint()
    libraries = {name: sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules}
    key = json.dumps([_running["origin"], libraries], sort_keys=True, default=str)
    return Checkpoint(FOLDER / f"{_running['stage']}.npz", hashlib.sha256(key.encode()).hexdigest(), INTERVAL)


def end() -> None:
    """Forget what the stage had reached, and what a killed run of it had half written: it is done."""
    stage = _running["stage"]
    for path in (*FOLDER.glob(f"{stage}.*npz"), *FOLDER.glob(f".{stage}.*.part")):
        path.unlink(missing_ok=True)
    _running.clear()
