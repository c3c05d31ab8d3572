"""Run `dvc`, `fitmap` and stages in forks of a process that has imported the slow packages already.

A fork runs this checkout's code in another project's folder. To run that project's own code, start a process.
"""

import multiprocessing
import os
import resource
import runpy
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [
        "stages.images.load_images", "stages.regressor.train_regressor", "stages.autoencoder.train_autoencoder",
        "stages.tsne.embed_baselines", "stages.figures.render_figures", "dvc.cli.parser", "dvc.repo.reproduce",
        "dvc.scm", "dvc.render", "networkx",
    ]
)  # fmt: skip


def run_fork(function: Callable, *arguments: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Call `function` in `folder` with that environment; return the exit status and what it prints on both streams."""
    with tempfile.NamedTemporaryFile() as printed:
        child = SERVER.Process(target=_call, args=(function, arguments, str(folder), environment, printed.name))
        child.start()
        child.join()
        return child.exitcode, printed.read().decode()


def _call(function: Callable, arguments: tuple[str, ...], folder: str, environment: dict, printed: str) -> None:
    file = os.open(printed, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(function(*arguments))


def refusal_of(function: Callable, *arguments: str, folder: Path) -> str:
    """Call `function` in `folder` and return the one line with which it refuses its input.

    It may take a minute and 2 GiB more than the fork has at its start, and must print no traceback and no warning.
    """
    status, printed = run_fork(_limited, function, *arguments, folder=folder, environment=dict(os.environ))
    assert status == 1, f"ended with status {status}: {printed}"
    assert "Traceback" not in printed, printed
    assert "Warning" not in printed, printed
    (line,) = [line for line in printed.split("\n") if line.startswith("fitmap: ")]
    assert printed.endswith(f"{line}\n"), printed
    assert "not enough memory" not in line, "only what is known to be too large may be refused"
    return line


def _limited(function: Callable, *arguments: str) -> None:
    from stages.common.errors import run

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2 * 1024**3,) * 2)
    signal.alarm(60)
    run(lambda: function(*arguments))


def dvc(*arguments: str) -> int:
    """Do what the command `dvc` does."""
    from dvc.cli import main

    return main(list(arguments))


def fitmap(*arguments: str) -> None:
    """Do what the command `fitmap` does."""
    from commands.fitmap import main

    sys.argv = ["fitmap", *arguments]
    main()


def stages(*names: str) -> None:
    """Run one stage after the other, as `python -m stages.ROOM.NAME` does."""
    for name in names:
        (script,) = Path(__file__).parents[1].glob(f"stages/*/{name}.py")
        module = f"stages.{script.parent.name}.{name}"
        sys.modules.pop(module, None)  # runpy warns of one that is imported already
        runpy.run_module(module, run_name="__main__", alter_sys=True)
