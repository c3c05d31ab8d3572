"""What stages were seen to do, against what `dvc.yaml` declares; a difference is told as the lines to add or remove."""

import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HOOK = Path(__file__).parent  # the folder of sitecustomize.py
READERS = [("dvc.yaml", "stages/pipeline/provenance.py"), ("params.yaml", "stages/pipeline/params.py")]
TIDYING = ("stages/pipeline/artifacts.py", "stages/pipeline/checkpoint.py")  # look for what killed runs left
SCRATCH = ".scratch"  # checkpoints: read by the same stage, of the same code, parameters and inputs, and by nobody else


class Seen(NamedTuple):
    """What a stage did: files of the project by path, sections of params.yaml, and what no stage may do."""

    read: set[str]
    written: set[str]
    params: set[str]
    forbidden: set[str]


def auditing(environment: dict[str, str], log: Path) -> dict[str, str]:
    """The environment in which every stage writes down in the folder `log` what it does."""
    log.mkdir(exist_ok=True)
    paths = [str(HOOK), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "AUDIT_LOG": str(log), "PYTHONPATH": os.pathsep.join(paths)}


def seen_by_audit(log: Path, project: Path) -> Seen:
    """Read the log of one stage. Byte code stands for its source, and machine code in the same folder for nothing."""
    seen = Seen(set(), set(), set(), set())
    root = os.path.realpath(project) + "/"
    for line in log.read_text().splitlines():
        what, detail, origin = json.loads(line)
        if what in ("params", "forbidden"):
            getattr(seen, what).add(detail)
        elif what in ("read", "list"):
            if what == "list" and (origin is None or origin in TIDYING):
                continue  # importing and tidying look into folders
            path = _source(detail.removeprefix(root)) if detail.startswith(root) else None
            if path and (path, origin) not in READERS and not path.startswith(SCRATCH):
                seen.read.add(path)
        elif detail.startswith(root) and not any(part in detail for part in ("__pycache__", f"/{SCRATCH}")):
            (seen.written.add if what == "write" else seen.written.discard)(detail.removeprefix(root))
    return seen


def _source(path: str) -> str | None:
    if "__pycache__" not in path:
        return path
    return importlib.util.source_from_cache(path) if path.endswith(".pyc") else None


def faults(stage: str, declared: dict, seen: Seen) -> str:
    """Every difference between the stage's entry in `dvc.yaml` and what it did; nothing if there is none."""
    deps, outs = paths(declared["deps"]), paths(declared.get("outs", []) + declared.get("metrics", []))
    folders = {str(parent) for out in outs for parent in Path(out).parents}
    undeclared = {path for path in seen.read if not any(path == dep or path.startswith(f"{dep}/") for dep in deps)}
    params = set(declared.get("params", []))
    told = [
        lines_to_change(stage, "deps", undeclared, ()),
        lines_to_change(stage, "params", seen.params - params, params - seen.params),
        lines_to_change(stage, "outs", seen.written - set(outs) - folders, set(outs) - seen.written),
        *(f"{stage} did what no stage may do: {what}" for what in sorted(seen.forbidden)),
    ]
    return "\n".join(filter(None, told))


def lines_to_change(stage: str, key: str, missing: Iterable[str], superfluous: Iterable[str]) -> str:
    """The lines of `dvc.yaml` to add (+) and to remove (-), under the keys they belong to."""
    lines = [f"+     - {entry}" for entry in sorted(missing)] + [f"-     - {entry}" for entry in sorted(superfluous)]
    return "\n".join(["dvc.yaml:", f"  {stage}:", f"    {key}:", *lines]) if lines else ""


def paths(entries: list) -> list[str]:
    """The paths of deps or outs, whose entries are paths or `path: settings`."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
