"""Time of the whole pipeline in a fresh copy of the project with an empty DVC cache, and of running it again.

The environment is ready, as `make install` leaves it. `cold_seconds` is `dvc repro`, one stage after the other, and
`seconds_STAGE` each of them with DVC's own work after it. `noop_seconds` is `dvc repro` when nothing changed, beside
`dvc status`: medians of alternating runs. `compile_seconds` is the compilation of t-SNE's kernels, which `make install`
does.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import parser, report

ROUNDS = 5  # of no-op and status
BIN = Path(sys.executable).parent


def copy_project(folder: Path) -> None:
    """Copy the files that git knows or would add, but not dvc.lock, into a repository of their own."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.check_output(listing, text=True).split("\0")):
        if Path(name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def timed(command: list[str], folder: Path) -> tuple[float, dict[str, float]]:
    """Run `command` in `folder`; return its seconds, and those of each stage that it ran."""
    environment = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    environment |= {"DVC_SITE_CACHE_DIR": str(folder.parent / "site"), "DVC_NO_ANALYTICS": "1"}
    start, begun, lines = time.perf_counter(), {}, []
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout:
            lines.append(line)
            if found := re.match(r"Running stage '(\w+)'", line):
                begun[found[1]] = time.perf_counter()
    end = time.perf_counter()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{''.join(lines)[-2000:]}")
    ends = [*begun.values(), end][1:]
    return end - start, {stage: stop - begin for (stage, begin), stop in zip(begun.items(), ends, strict=True)}


def measure() -> dict[str, float]:
    """Return the figures of the JSON line."""
    dvc = str(BIN / "dvc")
    with tempfile.TemporaryDirectory() as root:
        project = Path(root, "fitmap")
        copy_project(project)
        compiling, _ = timed([sys.executable, "-m", "commands.compile_kernels"], project)
        cold, stages = timed([dvc, "repro"], project)
        rounds = [[timed([dvc, command], project)[0] for command in ("repro", "status")] for _ in range(ROUNDS)]
    noop, status = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    figures = {"cold_seconds": cold, "noop_seconds": noop, "status_seconds": status, "noop_over_status": noop / status}
    return figures | {"compile_seconds": compiling} | {f"seconds_{stage}": taken for stage, taken in stages.items()}


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    report("pipeline", measure(), options.json, digits=2)
