"""`fitmap verify`: check the artifacts, here and on a remote, against dvc.lock and the .dvc files.

What is checked is not trusted: it is only hashed. No pickle is read, no link is followed, and of no file more bytes are
read than it should have.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB

from commands.compare.metric_verdicts import flatten
from stages.common.errors import InputError
from stages.common.settings import Loader

MD5 = re.compile(r"[0-9a-f]{32}")
LONGEST_LIST = 1 << 26  # bytes read of the list of a folder, or of an entry of the run cache


class Finding(NamedTuple):
    """What is wrong with which file, and how to repair it."""

    path: str
    problem: str
    repair: str


class Artifact(NamedTuple):
    """A file that DVC keeps, or git if it is not `cached`; `commit` is empty for the workspace.

    `md5` ends with `.dir` for the list of a folder's files. `size` is in bytes, None if unknown.
    """

    path: str
    md5: str
    size: int | None
    cached: bool
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.path} of commit {self.commit}" if self.commit else self.path


def verify(remote: str | None, all_commits: bool, as_json: bool) -> None:
    """Print what is missing, truncated, swapped or foreign; exit with status 1 if there is any.

    With a remote, its objects are checked too, and files that the workspace lacks are no finding: a pull fetches them.
    """
    with open_stores(remote) as stores:
        current, history = ([*found, *members(found, stores)] for found in (current_artifacts(), committed_artifacts()))
        owners = {artifact.md5: str(artifact) for artifact in (*history, *current)}
        findings = [*other_settings(), *check_workspace(current, owners, missing_is_wrong=remote is None)]
        if remote:
            wanted = {artifact.md5: artifact for artifact in (*history, *current) if artifact.cached}
            checked = [artifact for artifact in wanted.values() if all_commits or not artifact.commit]
            findings += check_remote(stores[-1], remote, checked, owners)
    if as_json:
        print(json.dumps({"checked": len(current), "findings": [found._asdict() for found in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{finding.path}: {finding.problem}\n  repair: {finding.repair}")
        print(f"checked {len(current)} artifacts: {len(findings) or 'no'} findings")
    if findings:
        raise SystemExit(1)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"git {arguments[0]} failed: {done.stderr}")
    return done.stdout


def current_artifacts() -> list[Artifact]:
    """Return the artifacts of the workspace."""
    if not Path("dvc.lock").is_file():
        raise InputError("dvc.lock is missing: `dvc repro` makes it; run `fitmap verify` in the project's folder")
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    present = [name for name in names if Path(name).is_file() or not name.endswith(".dvc")]
    return parse(present, lambda name: Path(name).read_text("utf-8"))


def committed_artifacts() -> list[Artifact]:
    """Return the artifacts of all commits of branches, tags, stashes and experiments, each content once a path."""
    log = git("log", "--all", "--full-history", "-m", "--diff-filter=AM", "--format=%h", "--", "dvc.lock", "*.dvc")
    found = {}
    for commit in dict.fromkeys(log.split()):  # with -m, a merge is listed once for each parent
        names = git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")
        for artifact in parse(names, lambda name, commit=commit: git("show", f"{commit}:{name}"), commit):
            found.setdefault((artifact.md5, artifact.path), artifact)
    return list(found.values())


def parse(names: list[str], read: Callable[[str], str], commit: str = "") -> list[Artifact]:
    """Return the artifacts that dvc.lock and the .dvc files among `names`, the files in git, list.

    Raises `InputError` for a damaged file, a path that leaves the project, and a hash that is no MD5.
    """
    in_git, artifacts = set(names), []
    for name in [name for name in names if name == "dvc.lock" or name.endswith(".dvc")]:
        where = f"{name} of commit {commit}" if commit else name
        try:
            content = yaml.safe_load(read(name))
            stages = content["stages"].values() if name == "dvc.lock" else [content]
            for out in [out for stage in stages for out in stage.get("outs", [])]:
                path, md5 = inside(PurePosixPath(name).parent / out["path"], where), str(out["md5"])
                if not MD5.fullmatch(md5.removesuffix(".dir")):
                    raise InputError(f"{where} names {path} by {md5!r}, no file's md5: do not pull it")
                size = None if md5.endswith(".dir") else int(out["size"])
                artifacts.append(Artifact(path, md5, size, path not in in_git, commit))
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where} is damaged ({type(error).__name__}): restore it from git")
    return artifacts


def inside(path: PurePosixPath, where: str) -> str:
    """Return a path as text. Raises `InputError` if it leaves the project, on Windows too."""
    if path.is_absolute() or ".." in path.parts or re.search(r"\\|^\w:", str(path)):
        raise InputError(f"{where} names {path}, which leaves the project: do not pull it")
    return str(path)


def members(artifacts: list[Artifact], stores: list[HashFileDB]) -> Iterator[Artifact]:
    """Yield the files of folders, as the first intact list of them in the stores names them."""
    for folder in [artifact for artifact in artifacts if artifact.md5.endswith(".dir")]:
        for store in stores:
            content = b""
            with suppress(Exception):  # the list itself is an artifact, whose check reports the error
                content = read_start(store, store.oid_to_path(folder.md5))
            if hashlib.md5(content).hexdigest() == folder.md5.removesuffix(".dir"):
                for file in json.loads(content):
                    path = inside(PurePosixPath(folder.path, file["relpath"]), folder.path)
                    yield Artifact(path, str(file["md5"]), None, True, folder.commit)
                break


def other_settings() -> Iterator[Finding]:
    """Yield the stages whose settings in dvc.lock differ from params.yaml."""
    lock, params = (yaml.load(Path(name).read_text("utf-8"), Loader) for name in ("dvc.lock", "params.yaml"))
    now = flatten(params)
    for name, stage in lock["stages"].items():
        before = flatten(stage.get("params", {}).get("params.yaml", {}))
        different = [f"{key} = {old}, now {now.get(key)}" for key, old in before.items() if now.get(key) != old]
        if different:
            problem = f"made under other settings: {'; '.join(different)}"
            yield Finding(f"outputs of {name}", problem, f"dvc repro {name}")


def check_workspace(artifacts: list[Artifact], owners: dict[str, str], missing_is_wrong: bool) -> Iterator[Finding]:
    """Yield the artifacts whose file differs; `owners` names the artifact of each known MD5."""
    for artifact in artifacts:
        path = Path(artifact.path)
        repair = f"dvc pull --force {path}" if artifact.cached else f"git checkout -- {path}"
        if not path.resolve().is_relative_to(Path().resolve()):
            yield Finding(artifact.path, "a link that leads out of the project", f"rm {path} && {repair}")
        elif not path.exists():
            yield from [Finding(artifact.path, "missing", repair)] * missing_is_wrong
        elif path.is_file() == artifact.md5.endswith(".dir"):
            yield Finding(artifact.path, "a folder instead of a file, or a file", f"move {path} away, then {repair}")
        elif path.is_file() and (problem := content_problem(path.open, path.stat().st_size, artifact, owners)):
            yield Finding(artifact.path, problem, repair)


def content_problem(open_file: Callable, size: int, artifact: Artifact, owners: dict[str, str]) -> str | None:
    """Say what is wrong with a file of `size` bytes that should be the artifact's; None if nothing is."""
    expected = size if artifact.size is None else artifact.size
    if size > expected:
        return f"too long: {size} bytes instead of {expected}"
    md5, left = hashlib.md5(usedforsecurity=False), expected + 1
    try:
        with open_file("rb") as file:
            while left and (block := file.read(min(1 << 20, left))):
                md5.update(block)
                left -= len(block)
    except Exception as error:  # each kind of remote fails in its own way
        return f"cannot be read ({type(error).__name__}: {error})"
    if md5.hexdigest() == artifact.md5.removesuffix(".dir"):
        return None
    if md5.hexdigest() in owners:
        return f"swapped: it holds the content of {owners[md5.hexdigest()]}"
    read = expected + 1 - left
    return f"truncated: {read} bytes of {expected}" if read < expected else "changed: its hash differs"


@contextmanager
def open_stores(remote: str | None) -> Iterator[list[HashFileDB]]:
    """Open DVC's cache and, if one is named, a remote, with an empty site cache.

    DVC keeps pickles in its site cache, to which any user of the machine may write by default.
    """
    with TemporaryDirectory(prefix="fitmap-") as folder, patch.dict(os.environ, DVC_SITE_CACHE_DIR=folder):
        try:
            with Repo() as repository:
                yield [repository.cache.local, *([repository.cloud.get_remote_odb(remote)] if remote else [])]
        except InputError:
            raise
        except Exception as error:  # the clients of the remotes have no exception in common
            kind = "" if isinstance(error, DvcException) else f"{type(error).__name__}: "
            raise InputError(f"remote {remote} cannot be read: {kind}{error}" if remote else f"{kind}{error}")


def check_remote(store: HashFileDB, remote: str, artifacts: list[Artifact], owners: dict[str, str]) -> list[Finding]:
    """Return the artifacts whose object is missing or wrong, then the objects that no commit and no run names."""
    address, found = store.fs.unstrip_protocol(store.path), list_files(store, store.path)

    def check(artifact: Artifact) -> list[Finding]:
        key = f"{artifact.md5[:2]}/{artifact.md5[2:]}"
        push = f"dvc push --remote {remote} {'--all-commits' if artifact.commit else artifact.path}"
        if key not in found:
            return [Finding(str(artifact), f"missing on {remote}", f"where it is in the cache: {push}")]
        problem = "a link, not a file"
        if is_file(found[key]):
            path, size = found[key]["name"], found[key].get("size") or 0
            problem = content_problem(lambda mode: store.fs.open(path, mode), size, artifact, owners)
        repair = f"delete {address}/{key}, then {push}"
        return [Finding(str(artifact), f"on {remote} {problem}", repair)] if problem else []

    with ThreadPoolExecutor(store.fs.jobs) as pool:
        findings = [finding for checked in pool.map(check, artifacts) for finding in checked]
    known = {f"{md5[:2]}/{md5[2:]}" for md5 in owners.keys() | run_cache_hashes(store)}
    for key in sorted(found.keys() - known):
        unfinished = "left over from an interrupted push" if key.endswith(".tmp") else "no commit names it"
        repair = f"git fetch --all, in case a new commit names it; delete {address}/{key}"
        findings.append(Finding(key, f"on {remote} foreign: {unfinished}", repair))
    return findings


def list_files(store: HashFileDB, folder: str) -> dict[str, dict]:
    """Return fsspec's entry of each file and link below a folder of a remote by its path there, following no link."""
    folders = store.fs.walk(folder, detail=True)
    entries = [entry for _, _, files in folders for entry in files.values()]
    return {store.fs.relpath(entry["name"], folder): entry for entry in entries}


def is_file(entry: dict) -> bool:
    return entry["type"] == "file" and not entry.get("islink")


def run_cache_hashes(store: HashFileDB) -> set[str]:
    """Return the MD5 of all outputs in the remote's run cache, the folder runs/ beside files/md5/."""
    runs = list_files(store, store.fs.join(store.fs.parent(store.fs.parent(store.path)), "runs")).values()
    texts = [read_start(store, entry["name"]).decode(errors="replace") for entry in runs if is_file(entry)]
    return {md5 for text in texts for md5 in MD5.findall(text)}


def read_start(store: HashFileDB, path: str) -> bytes:
    with store.fs.open(path, "rb") as file:
        return file.read(LONGEST_LIST)
