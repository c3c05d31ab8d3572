"""Run a function in a child process that is checked for tracebacks, warnings, time and memory."""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.run_in_fork import SERVER

MOST_BYTES = 2 * 1024**3
LONGEST = 60  # seconds


@dataclass(frozen=True)
class Ending:
    """How a child process ended. `status` is its exit status, or minus the signal; `peak` its memory in bytes."""

    status: int
    stderr: str
    seconds: float
    peak: int

    @property
    def refusal(self) -> str | None:
        """Return the line with which the input is refused, None if it is accepted; fail for any other ending."""
        assert self.status in (0, 1), f"ended with status {self.status} after {self.seconds:.0f} s: {self.stderr}"
        assert "Traceback" not in self.stderr, self.stderr
        assert "Warning" not in self.stderr, self.stderr
        assert self.peak < MOST_BYTES, f"{self.peak / 1e9:.1f} GB: {self.stderr}"
        lines = [line for line in self.stderr.split("\n") if line.startswith("fitmap: ")]
        if self.status == 0:
            return None
        assert len(lines) == 1, self.stderr
        assert self.stderr.rstrip("\n").endswith(lines[0]), self.stderr
        assert "not enough memory" not in lines[0], "only what is known to be too large may be refused"
        return lines[0]


def ending_of(function: Callable, *arguments, folder: Path) -> Ending:
    """Call a function in `folder` as a stage's script calls its `main`."""
    ours, theirs = SERVER.Pipe()
    errors = folder / ".stderr"
    child = SERVER.Process(target=_run, args=(function, arguments, str(folder), str(errors), theirs))
    child.start()
    ours.recv()  # the first child waits for its server to import
    start = time.monotonic()
    child.join(LONGEST)
    seconds = time.monotonic() - start
    if child.exitcode is None:
        child.kill()
        child.join()
    peak = ours.recv() if ours.poll() else 0
    return Ending(child.exitcode, errors.read_text(errors="replace"), seconds, peak)


def stage(name: str) -> None:
    """Run a stage's `main`."""
    from importlib import import_module

    (script,) = Path(__file__).parents[1].glob(f"stages/*/{name}.py")
    import_module(f"stages.{script.parent.name}.{name}").main()


def _run(function: Callable, arguments: tuple, folder: str, errors: str, pipe: Connection) -> None:
    from stages.common.errors import run

    pipe.send("ready")
    os.chdir(folder)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    resource.setrlimit(resource.RLIMIT_AS, (16 * 1024**3,) * 2)  # whatever happens, the machine lives
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = 0
    try:
        run(lambda: function(*arguments))
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 70
    sys.stderr.flush()
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    os._exit(status)
