"""A checkpoint, so that an interrupted training resumes instead of starting again."""

import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from stages.common.settings import AutoencoderParams

PATH = Path(".scratch/train_autoencoder.pt")  # seen by neither git nor DVC
INTERVAL = 10  # seconds between two of them


class Checkpoint:
    """The state of one training as one dictionary of tensors and plain values, in the file `path`.

    `key` names what was trained (see `key_of`); the file of another key is ignored.
    """

    def __init__(self, key: str, path: Path = PATH, interval: float = INTERVAL):
        self.key, self.path, self.interval = key, path, interval
        self.saved = time.monotonic()

    def load(self) -> dict | None:
        """Return the state that was saved last, or None."""
        with contextlib.suppress(Exception):  # a missing or damaged file is as good as none
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            return state if state["key"] == self.key else None
        return None

    def save(self, state: Callable[[], dict]) -> None:
        """Save what `state` returns, unless the last time was less than `interval` seconds ago."""
        if time.monotonic() - self.saved >= self.interval:
            part = self.path.with_suffix(".part")
            with contextlib.suppress(OSError):  # without room for it, training goes on
                self.path.parent.mkdir(parents=True, exist_ok=True)
                torch.save({**state(), "key": self.key}, part)
                part.replace(self.path)
            self.saved = time.monotonic()


def key_of(images: np.ndarray, params: AutoencoderParams, device: str) -> str:
    """Return a digest of all that a training depends on: images, settings, device, code and PyTorch's version."""
    digest = hashlib.sha256(repr((params, device, images.shape, torch.__version__)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()
