import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from tests.run_in_fork import dvc, run_fork

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait by spinning take cores from the other tests

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",  # WebGL in software
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
EARLY = (  # what takes longest goes first, so that two processes end together; the second one needs no pipeline yet
    "tests/tiny/test_pipeline", "tests/page/browser", "tests/tiny", "tests/test_same_bytes", "tests/commands",
)  # fmt: skip


def pytest_collection_modifyitems(items: list) -> None:
    items.sort(key=lambda item: next((n for n, path in enumerate(EARLY) if item.nodeid.startswith(path)), len(EARLY)))


class Clone:
    """A copy of the project in a repository of its own, with the tiny parameters, and its own DVC cache."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
            "DVC_NO_ANALYTICS": "1",
        }

    def run(self, *command: str, fails: bool = False) -> str:
        """Return what `command` prints, stderr included; it must fail if `fails`, else succeed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def fork(self, function: Callable, *arguments: str, fails: bool = False) -> str:
        """Do the same for a function of tests/run_in_fork.py, in a fork that has imported what is slow to import."""
        status, printed = run_fork(function, *arguments, folder=self.folder, environment=self.environment)
        assert (status != 0) == fails, printed
        return printed

    def repro(self, *arguments: str) -> list[str]:
        """Run `dvc repro`; return the names of the stages whose command ran."""
        lines = self.fork(dvc, "repro", *arguments).splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    def copy(self, folder: Path) -> "Clone":
        """Copy the project with its cache to `folder`/fitmap."""
        clone = Clone(Path(shutil.copytree(self.folder, folder / "fitmap", symlinks=True)))
        clone.environment["DVC_SITE_CACHE_DIR"] = str(folder / "site-cache")
        return clone

    def metrics(self, name: str) -> dict:
        """Return the scores of `metrics/NAME.json`."""
        return json.loads((self.folder / f"metrics/{name}.json").read_text())

    def set(self, changes: dict) -> None:
        """Change settings, given as {section: {key: value}}."""
        path = self.folder / "params.yaml"
        values = yaml.safe_load(path.read_text())
        for section, keys in changes.items():
            values[section].update(keys)
        path.write_text(yaml.safe_dump(values, sort_keys=False))

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-qm", message)


def clone_project(folder: Path) -> Clone:
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for file in filter(None, files):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
    for compiled in (ROOT / "stages").rglob("*.nb[ci]"):  # compiled kernels, valid while the source keeps its time
        (folder / compiled.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy2(compiled, folder / compiled.relative_to(ROOT))
    clone = Clone(folder)
    (folder / "dvc.lock").unlink(missing_ok=True)
    clone.set(yaml.safe_load((ROOT / "tests/tiny/params.yaml").read_text()))
    clone.run("git", "init", "-q")
    clone.commit("tiny")
    return clone


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory) -> Clone:
    """The tiny pipeline, run once; each process of the tests has a copy, and tests that change it copy it again.

    `first_run` names the stages that ran.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "run-once"
    first_run = shared / "first_run.json"
    with FileLock(f"{shared}.lock"):
        if not first_run.exists():
            made = clone_project(shared / "fitmap")
            names = made.repro()
            made.commit("run")
            first_run.write_text(json.dumps(names))
    clone = Clone(shared / "fitmap").copy(tmp_path_factory.mktemp("fresh"))
    clone.first_run = json.loads(first_run.read_text())
    return clone


@pytest.fixture(scope="session")
def small_project(tmp_path_factory) -> Clone:
    """The project of tests/small_project.py after its run; each test copies it."""
    from tests.small_project import make_small_project

    return make_small_project(tmp_path_factory.mktemp("small") / "fitmap")


@pytest.fixture(scope="session")
def browser():
    """A real Chromium; where there is none, or no Playwright, tests skip and say so."""
    if CHROMIUM is None:
        pytest.skip("no Chromium found (chromium, chromium-browser or google-chrome on the PATH)")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra `browser`)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
