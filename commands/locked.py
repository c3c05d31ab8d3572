"""The artifacts that dvc.lock names, in the workspace and in every commit."""

import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import yaml

from stages.common.errors import InputError

MD5 = re.compile(r"[0-9a-f]{32}")


class Artifact(NamedTuple):
    """An out as dvc.lock names it; `size` in bytes, `cached` unless git keeps it, `commit` empty for the workspace."""

    path: str
    md5: str
    size: int
    cached: bool
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.path} of commit {self.commit}" if self.commit else self.path


def current_artifacts() -> list[Artifact]:
    """The outs of the workspace's dvc.lock."""
    if not Path("dvc.lock").is_file():
        raise InputError("dvc.lock is missing: `dvc repro` makes it; fitmap verify runs in the project's folder")
    texts = (Path(name).read_text(encoding="utf-8") for name in ("dvc.lock", "dvc.yaml"))
    return parse_lock(*texts, "")


def committed_artifacts() -> list[Artifact]:
    """The outs of all commits that any branch, tag, stash or experiment leads to, each content once at each path."""
    log = _git("log", "--all", "--full-history", "-m", "--diff-filter=AM", "--format=%h", "--", "dvc.lock")
    found = {}
    for commit in dict.fromkeys(log.split()):  # -m: merges too, once for each parent
        graph, lock = (_git("show", f"{commit}:{name}") for name in ("dvc.yaml", "dvc.lock"))
        for artifact in parse_lock(lock, graph, commit):
            found.setdefault((artifact.md5, artifact.path), artifact)
    return list(found.values())


def parse_lock(lock: str, graph: str, commit: str) -> list[Artifact]:
    """The outs in the texts of dvc.lock and dvc.yaml.

    Raises `InputError` for an out that a lock of this project never has: a folder, or a path that leaves the project.
    """
    where = f"dvc.lock of commit {commit}" if commit else "dvc.lock"
    try:
        in_git = _kept_in_git(yaml.safe_load(graph))
        outs = [out for stage in yaml.safe_load(lock)["stages"].values() for out in stage.get("outs", [])]
        artifacts = [
            Artifact(str(out["path"]), str(out["md5"]), int(out["size"]), out["path"] not in in_git, commit)
            for out in outs
        ]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} is damaged ({type(error).__name__}): restore it from git")
    for artifact in artifacts:
        path = PurePosixPath(artifact.path)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(f"{where} names {artifact.path}, which leaves the project: do not pull it")
        if not MD5.fullmatch(artifact.md5):
            raise InputError(f"{where} names {artifact.path} by {artifact.md5!r}, no file's md5: do not pull it")
    return artifacts


def _kept_in_git(graph: dict) -> set[str]:
    """The outs with `cache: false`."""
    entries = [
        entry
        for stage in graph["stages"].values()
        for kind in ("outs", "metrics", "plots")
        for entry in stage.get(kind, [])
        if isinstance(entry, dict)
    ]
    return {path for entry in entries for path, flags in entry.items() if (flags or {}).get("cache") is False}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"git {arguments[0]} failed: {done.stderr}")
    return done.stdout
