"""The whole pipeline from nothing: how long `make run` takes in a fresh copy with an empty cache, and each stage in it.

The environment is ready, as `make install` leaves it: this one, and the copy's kernels compiled, which is timed on its
own. The copy has no results and no DVC cache. A stage's time is that of its command. Stages run side by side, so they
add up to more than the whole. A no-op is `dvc repro` after that, beside `dvc status`, DVC's own floor for looking at
everything: both in turns, medians.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5  # of no-op and status
BIN = Path(sys.executable).parent
TIMED_PYTHON = """#!/bin/sh
start=$(date +%s%N)
"{python}" "$@"
status=$?
[ -z "$DVC_STAGE" ] || echo "$DVC_STAGE $(($(date +%s%N) - start))" >> "{times}"
exit $status
"""


def copy_project(folder: Path) -> None:
    """The files that git knows or would add, in a repository of their own."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.check_output(listing, text=True).split("\0")):
        if Path(name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def timing_environment(folder: Path, times: Path) -> None:
    """This environment once more in `folder`, by links, but its `python` notes in `times` how long each stage took."""
    (folder / "bin").mkdir(parents=True)
    for program in BIN.iterdir():
        (folder / "bin" / program.name).symlink_to(program)
    (folder / "bin/python").unlink()
    (folder / "bin/python").write_text(TIMED_PYTHON.format(python=sys.executable, times=times))
    (folder / "bin/python").chmod(0o755)
    (folder / "bin/.installed").unlink(missing_ok=True)
    (folder / "bin/.installed").touch()  # newer than the lock: `make` has nothing to install


def timed(command: list[str], folder: Path) -> float:
    """Seconds that `command` takes in `folder`."""
    environment = {**os.environ, "DVC_SITE_CACHE_DIR": str(folder.parent / "site"), "DVC_NO_ANALYTICS": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")
    return seconds


def measure() -> dict[str, float]:
    """The flat figures of the JSON line."""
    with tempfile.TemporaryDirectory() as root:
        project, environment, times = Path(root, "fitmap"), Path(root, "environment"), Path(root, "times")
        copy_project(project)
        timing_environment(environment, times)
        figures = {"compile_seconds": timed([sys.executable, "-m", "stages.tsne.compile_kernels"], project)}
        figures["cold_seconds"] = timed(["make", "run", f"VENV={environment}"], project)
        print(f"cold {figures['cold_seconds']:.1f} s", flush=True)
        for line in times.read_text().splitlines():
            stage, nanoseconds = line.split()
            figures[f"seconds_{stage}"] = int(nanoseconds) / 1e9
        dvc = str(BIN / "dvc")
        rounds = [[timed([dvc, command], project) for command in ("repro", "status")] for _ in range(ROUNDS)]
    noop, status = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    figures |= {"noop_seconds": noop, "status_seconds": status, "noop_over_status": noop / status}
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    figures = measure()
    print("\n".join(f"{name:28} {value:8.2f}" for name, value in figures.items()))
    if options.json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "pipeline", "machine": machine, "figures": figures}))


if __name__ == "__main__":
    main()
