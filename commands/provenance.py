"""Which artifacts are not made from what `dvc.lock` claims, since something was edited while a stage ran."""

import json
from pathlib import Path
from typing import NamedTuple

import yaml

from stages.pipeline.errors import InputError
from stages.pipeline.params import Loader


class Finding(NamedTuple):
    """One thing that is not as `dvc.lock` claims."""

    path: str
    problem: str
    repair: str


def edited_during_run(root: Path) -> list[Finding]:
    """One finding for each out of a stage whose record in data/made_from/ differs from the lock.

    DVC writes dependencies and parameters into the lock as they are after a stage's command; the record has them as
    they were before it. A record that is missing says nothing: its stage's outs are not here either, or were changed.
    """
    findings = []
    for stage, locked in _locked_stages(root).items():
        record = f"data/made_from/{stage}.json"
        if not (root / record).is_file() or not (edited := _differences(_read_record(root / record), locked)):
            continue
        problem = f"made before {', '.join(edited)} was edited while {stage} ran; dvc.lock claims the edited one"
        repair = f"dvc repro --force --single-item {stage} && dvc repro"
        findings += [Finding(out["path"], problem, repair) for out in locked["outs"] if out["path"] != record]
    return findings


def _locked_stages(root: Path) -> dict[str, dict]:
    """The stages of `dvc.lock`, its numbers read as those of `params.yaml`."""
    lock = root / "dvc.lock"
    if not lock.is_file():
        raise InputError(f"{lock} is missing: `dvc repro` makes it")
    try:
        return yaml.load(lock.read_text(encoding="utf-8"), Loader=Loader)["stages"]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        raise InputError(f"{lock} is damaged: restore it from git (`git checkout dvc.lock`)")


def _read_record(path: Path) -> dict[str, dict]:
    try:
        record = json.loads(path.read_bytes())
        return {"deps": dict(record["deps"]), "params": dict(record["params"])}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: `dvc checkout --force {path}` brings it back")


def _differences(record: dict[str, dict], locked: dict) -> list[str]:
    """The dependencies by path, and the parameters by `params.yaml:section.key`, that differ."""
    deps = {dep["path"]: dep["md5"] for dep in locked.get("deps", [])}
    sections = locked.get("params", {}).get("params.yaml", {})
    return _unequal(record["deps"], deps) + [
        f"params.yaml:{section}.{key}"
        for section in sorted(record["params"].keys() | sections.keys())
        for key in _unequal(record["params"].get(section) or {}, sections.get(section) or {})
    ]


def _unequal(one: dict, other: dict) -> list[str]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
