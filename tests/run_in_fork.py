"""Run `dvc`, `fitmap` and stages in forks of a process that has imported the slow packages already.

A fork runs this checkout's code in another project's folder. To run that project's own code, start a process.
"""

import multiprocessing
import os
import runpy
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
        runpy.run_module(f"stages.{script.parent.name}.{name}", run_name="__main__", alter_sys=True)
