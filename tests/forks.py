"""Commands run in forks of a process that has imported what is costly: each is spared the seconds before its work.

A fork runs this checkout's code in another project's folder: where that project's own code counts, start a process.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [
        "stages.images.load_images", "stages.regressor.train_regressor", "stages.autoencoder.train_autoencoder", "stages.tsne.embed_baselines",
        "stages.figures.render_figures", "dvc.cli.parser", "dvc.repo.reproduce", "dvc.scm", "dvc.render", "networkx",
    ]
)  # fmt: skip


def run_fork(function: Callable, *arguments: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """The exit status of `function`, called in `folder` with that environment, and what it prints, stderr included."""
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
    """What the command `dvc` does."""
    from dvc.cli import main

    return main(list(arguments))


def fitmap(*arguments: str) -> None:
    """What the command `fitmap` does."""
    from commands.fitmap import main

    sys.argv = ["fitmap", *arguments]
    main()


def stages(*names: str) -> None:
    """What `python -m stages NAME` does, for one stage after the other."""
    from stages.__main__ import main
    from stages.common.errors import run

    for name in names:
        sys.argv = ["stages", name]
        run(main)
