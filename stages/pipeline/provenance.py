"""What a stage was made from: its dependencies and parameters as they were before it read them.

DVC records them as they are once the command has ended, so that an edit during the run is recorded as if it had been
used. The record written here has DVC's own hashes, and can be compared with `dvc.lock`.
"""

import hashlib
import json
import os
from pathlib import Path

import yaml

from stages.pipeline.errors import InputError


def made_from(stage: str) -> dict[str, dict]:
    """The MD5 of every dependency of `stage`, and the values of its sections of `params.yaml`, as both are now.

    Raises `InputError` for an unknown stage, and for a dependency that cannot be read.
    """
    graph = yaml.safe_load(Path("dvc.yaml").read_bytes())["stages"]
    if stage not in graph:
        raise InputError(f"dvc.yaml: `{stage}` is no stage; known are {', '.join(graph)}")
    deps = {path: md5(path) for path in graph[stage]["deps"]}

    from stages.pipeline.params import plain_sections  # only now that it has been hashed

    return {"deps": deps, "params": plain_sections(graph[stage].get("params", []))}


def md5(path: str) -> str:
    """The hash that DVC gives to a file, or to a folder: byte code and folders behind links are left out."""
    try:
        return _md5_of_folder(path) if os.path.isdir(path) else _md5_of_file(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): `dvc repro` makes it, `dvc pull` fetches it")


def _md5_of_file(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _md5_of_folder(path: str) -> str:
    """MD5 of the JSON list of the folder's files, sorted by path, with ".dir" at its end."""
    files = {}
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = [name for name in subfolders if name != "__pycache__"]  # as .dvcignore has it
        relative = (Path(folder, name).relative_to(path).as_posix() for name in names if not name.endswith(".pyc"))
        files |= {name: _md5_of_file(f"{path}/{name}") for name in relative}
    entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
