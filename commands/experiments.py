"""Sets of experiments with the curve's branch: every combination of a set's grid is one `dvc exp run`.

It runs in a small project made for it: the code of the branch and the parameters that it reads. `dvc exp run` stashes
and resets the workspace it runs in, so the user's own is left out of it. The finished experiments are kept in a Git
repository beside DVC's other temporary files, under names that hold a digest of all that they depend on: what is there
need not run again.
"""

import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import Section, check_section

STORE = Path(".dvc/tmp/claims.git")
BRANCH = ("generate_curve", "train_regressor", "evaluate_regressor")
TABLES = ("runs", "history", "fit", "polygon")
SAME_COMMIT = {f"GIT_{who}_DATE": "2000-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}


class Claim(Section):
    """A file of experiments/claims/. `settings` names files of overrides in experiments/, `params` holds more; `grid`
    holds those of each label of each axis."""

    title: str
    claim: str
    settings: list[str]
    params: dict[str, object]
    grid: Annotated[dict[str, dict[str | int | float, dict[str, object]]], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=1000)]


@dataclass(frozen=True)
class Experiment:
    """One combination of a claim's grid: its labels by axis, and what overrides params.yaml."""

    name: str
    labels: dict[str, str | int | float]
    overrides: dict[str, object]


def read_claim(path: Path) -> Claim:
    """The claim in `path`; an `InputError` says what the file has wrong."""
    try:
        return Claim.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise InputError(f"{path}: {error}")


def read_setting(name: str) -> dict[str, object]:
    """The overrides of experiments/NAME.yaml, `section.key: value`."""
    path = Path(f"experiments/{name}.yaml")
    if not path.is_file():
        raise InputError(f"{path} is missing, a claim names it")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def project_files() -> dict[str, bytes]:
    """All files of the project in which an experiment runs, by path."""
    graph = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    code = {dep for stage in BRANCH for dep in graph[stage]["deps"] if dep.endswith(".py")} | {"experiments/measure.py"}
    measure = {
        "cmd": "python -m experiments.measure",
        "deps": sorted(code),
        "params": ["curve", "regressor", "seeds"],
        "outs": [{f"results/{table}.csv": {"cache": False}} for table in TABLES],
    }
    defaults = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    params = {"curve": defaults["curve"], "regressor": defaults["regressor"], "seeds": 1}
    files = {path: Path(path).read_bytes() for path in (*sorted(code), ".dvc/config", ".dvc/.gitignore", ".gitignore")}
    made = {"dvc.yaml": {"stages": {"measure": measure}}, "params.yaml": params}
    return files | {path: yaml.safe_dump(content, sort_keys=False).encode() for path, content in made.items()}


def combinations(path: Path, project: dict[str, bytes]) -> list[Experiment]:
    """The experiments of the claim in `path`, all checked against the schema before any of them runs."""
    claim = read_claim(path)
    settings = [read_setting(setting) for setting in claim.settings]
    defaults = yaml.safe_load(project["params.yaml"])
    code = {path: hashlib.sha256(content).hexdigest() for path, content in project.items() if path.endswith(".py")}
    experiments = []
    for labels in itertools.product(*claim.grid.values()):
        chosen = dict(zip(claim.grid, labels, strict=True))
        overrides = {}
        for layer in (*settings, claim.params, *(claim.grid[axis][label] for axis, label in chosen.items())):
            overrides |= layer
        params = check_overrides(overrides, defaults, str(path))
        identity = json.dumps([code, params, claim.seeds], sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        experiments.append(Experiment(f"{path.stem}-{digest}", chosen, {**overrides, "seeds": claim.seeds}))
    return experiments


def check_overrides(overrides: dict[str, object], defaults: dict[str, dict], path: str) -> dict[str, dict]:
    """The sections curve and regressor with `overrides` (`section.key: value`); an `InputError` for a wrong one."""
    sections = {name: dict(defaults[name]) for name in ("curve", "regressor")}
    for key, value in overrides.items():
        section, _, name = key.partition(".")
        if section not in sections:
            raise InputError(f"{path}: {key} is no parameter of the curve's branch; write curve.NAME or regressor.NAME")
        sections[section][name] = value
    return {name: check_section(name, values, path).model_dump() for name, values in sections.items()}


def finished_experiments() -> dict[str, str]:
    """The Git refs of the store by experiment."""
    refs = git(STORE, "for-each-ref", "--format=%(refname)", "refs/exps").decode().split()
    return {ref.rsplit("/", 1)[1]: ref for ref in refs}


def run_missing(experiments: list[Experiment], project: dict[str, bytes], jobs: int, description: str) -> int:
    """Run, `jobs` at a time, the experiments that are not finished; how many these were."""
    git(Path(), "init", "--quiet", "--bare", STORE)
    finished = finished_experiments()
    missing = [experiment for experiment in experiments if experiment.name not in finished]
    with ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda experiment: run_experiment(experiment, project), missing)
        try:
            for _ in progress(done, description, unit="experiment", total=len(missing)) if missing else ():
                pass
        finally:
            pool.shutdown(cancel_futures=True)  # after an interruption or an error none begins any more
    return len(missing)


def run_experiment(experiment: Experiment, project: dict[str, bytes]) -> None:
    """One `dvc exp run` in a folder of its own; what it commits goes to the store."""
    with TemporaryDirectory(prefix="fitmap-") as folder:
        for path, content in project.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(content)
        git(folder, "init", "--quiet")
        for key, value in {"user.name": "fitmap", "user.email": "fitmap@localhost", "commit.gpgsign": "false"}.items():
            git(folder, "config", key, value)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "The curve's branch")
        overrides = [f"--set-param={key}={json.dumps(value)}" for key, value in experiment.overrides.items()]
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": f"{folder}/.dvc/site",
        }
        command = [sys.executable, "-m", "dvc", "exp", "run", "--name", experiment.name, *overrides]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith(("fitmap: ", "ERROR: "))]
            raise InputError(f"{experiment.name}: {lines[0].removeprefix('fitmap: ') if lines else done.stderr[-300:]}")
        baseline = git(folder, "rev-parse", "HEAD").decode().strip()
        git(
            folder,
            "push",
            "--quiet",
            "--force",
            STORE.resolve(),
            f"refs/exps/{baseline[:2]}/{baseline[2:]}/{experiment.name}",
        )


def git(folder: Path | str, *arguments: object) -> bytes:
    """What Git prints; the same content makes the same commit."""
    environment = {**os.environ, **SAME_COMMIT}
    done = subprocess.run(["git", "-C", folder, *arguments], env=environment, capture_output=True)
    if done.returncode:
        raise InputError(f"git {arguments[0]} failed in {folder}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def read_results(experiments: list[Experiment]) -> list[pd.DataFrame]:
    """The tables of a claim, in the order of TABLES, each with the labels as its first columns."""
    refs = finished_experiments()

    def read(experiment: Experiment, table: str) -> pd.DataFrame:
        text = git(STORE, "show", f"{refs[experiment.name]}:results/{table}.csv")
        rows = pd.read_csv(io.BytesIO(text))
        return pd.concat([pd.DataFrame([experiment.labels] * len(rows), index=rows.index), rows], axis=1)

    return [pd.concat([read(e, table) for e in experiments], ignore_index=True) for table in TABLES]
