"""`fitmap verify`: check the artifacts, here and on a remote, against dvc.lock and the .dvc files.

What is checked is not trusted: files are only hashed, and no link is followed.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dvc.repo import Repo
from dvc.utils.serialize import load_yaml
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs.base import FileSystem

from commands.compare.metric_verdicts import flatten
from stages.common.errors import InputError

MD5 = re.compile(r"[0-9a-f]{32}")
INPUTS = ("curve.source", "images.source", "images.labels", "latents.source", "latents.weights")
LINK = -1  # in place of a size


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


def object_key(md5: str) -> str:
    """Return the path of an object in a cache."""
    return f"{md5[:2]}/{md5[2:]}"


def verify(remote: str | None, all_commits: bool, as_json: bool) -> None:
    """Print what is missing, truncated, swapped or foreign; exit with status 1 if there is any.

    With a remote, its objects are checked too, and files that the workspace lacks are no finding: a pull fetches them.
    """
    if not Path("dvc.lock").is_file():
        raise InputError("dvc.lock is missing: `dvc repro` makes it; run `fitmap verify` in the project's folder")
    try:
        with Repo() as repo:
            count, findings = check(repo, remote, all_commits)
    except InputError:
        raise
    except Exception as error:  # the clients of the remotes have no exception in common
        raise InputError(f"{remote or 'the workspace'} cannot be checked ({type(error).__name__}: {error})")
    if as_json:
        print(json.dumps({"checked": count, "findings": [finding._asdict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{finding.path}: {finding.problem}\n  repair: {finding.repair}")
        print(f"checked {count} artifacts: {len(findings) or 'no'} findings")
    if findings:
        raise SystemExit(1)


def check(repo: Repo, remote: str | None, all_commits: bool) -> tuple[int, list[Finding]]:
    """Return the number of artifacts in the workspace, and all findings."""
    store = repo.cloud.get_remote_odb(remote) if remote else None
    lists = [repo.cache.local, store] if store else [repo.cache.local]
    current, history = with_members(artifacts_of(repo), lists), []
    if store:
        log = repo.scm.gitpython.git.log("--all", "--full-history", "--format=%H", "--", "dvc.lock", "*.dvc")
        commits = repo.brancher(revs=log.split(), workspace=False)
        history = with_members([found for commit in commits for found in artifacts_of(repo, commit[:7])], lists)
    owners = {artifact.md5: str(artifact) for artifact in (*history, *current)}
    findings = [*other_settings(), *check_workspace(current, owners, missing_is_wrong=store is None)]
    if store:
        findings += untracked_inputs(repo, current)
        wanted = {artifact.md5: artifact for artifact in (*history, *current) if artifact.cached}
        checked = [artifact for artifact in wanted.values() if all_commits or not artifact.commit]
        findings += check_remote(store, remote, checked, owners)
    return len(current), findings


def artifacts_of(repo: Repo, commit: str = "") -> Iterator[Artifact]:
    """Yield the artifacts of the workspace, or of the commit to which `repo` is switched.

    Raises `InputError` for a hash that is no MD5, which could lead out of the cache.
    """
    for out in repo.index.outs:
        path, md5 = repo.fs.relpath(out.fs_path, repo.root_dir), out.hash_info.value
        if md5 and not MD5.fullmatch(md5.removesuffix(".dir")):
            raise InputError(f"{path} has the hash {md5!r}, no file's md5: do not pull it")
        if md5:
            yield Artifact(path, md5, None if md5.endswith(".dir") else out.meta.size, out.use_cache, commit)


def with_members(artifacts: Iterable[Artifact], stores: list[HashFileDB]) -> list[Artifact]:
    """Return the artifacts, each content once a path, and the files of folders, if a store has an intact list."""
    found = {(artifact.md5, artifact.path): artifact for artifact in artifacts}
    for folder, store in [(one, store) for one in found.values() if one.md5.endswith(".dir") for store in stores]:
        content = b""
        with suppress(Exception):  # the list itself is an artifact, whose check reports the error
            content = store.fs.cat_file(store.oid_to_path(folder.md5))
        if hashlib.md5(content).hexdigest() == folder.md5.removesuffix(".dir"):
            for file in json.loads(content):
                path = f"{folder.path}/{file['relpath']}"
                found[file["md5"], path] = Artifact(path, file["md5"], None, True, folder.commit)
    return list(found.values())


def other_settings() -> Iterator[Finding]:
    """Yield the stages whose settings in dvc.lock differ from params.yaml."""
    now = flatten(load_yaml("params.yaml"))
    for name, stage in load_yaml("dvc.lock")["stages"].items():
        before = flatten(stage.get("params", {}).get("params.yaml", {}))
        different = [f"{key} = {old}, now {now.get(key)}" for key, old in before.items() if now.get(key) != old]
        if different:
            problem = f"made under other settings: {'; '.join(different)}"
            yield Finding(f"outputs of {name}", problem, f"dvc repro {name}")


def untracked_inputs(repo: Repo, artifacts: list[Artifact]) -> Iterator[Finding]:
    """Yield the data of one's own that params.yaml names and that neither DVC nor git keeps: no clone can have them."""
    settings, known = flatten(load_yaml("params.yaml")), [Path(artifact.path) for artifact in artifacts]
    for key in INPUTS:
        path = Path(str(settings.get(key)))
        by_dvc = any(path == other or path in other.parents or other in path.parents for other in known)
        if path.exists() and not by_dvc and not repo.scm.is_tracked(str(path)):
            yield Finding(str(path), "neither DVC nor git keeps it, so no clone has it", f"dvc add {path}")


def check_workspace(artifacts: list[Artifact], owners: dict[str, str], missing_is_wrong: bool) -> Iterator[Finding]:
    """Yield the artifacts whose file is missing or wrong; `owners` names the artifact of each known MD5."""
    for artifact in artifacts:
        path = Path(artifact.path)
        size = path.stat().st_size if path.is_file() else 0 if path.exists() else None
        if not path.resolve().is_relative_to(Path().resolve()):
            size = LINK
        if (artifact.md5.endswith(".dir") and path.is_dir()) or (size is None and not missing_is_wrong):
            continue
        repair = f"dvc pull --force {path}" if artifact.cached else f"git checkout -- {path}"
        if problem := content_problem(path.open, size, artifact, owners):
            yield Finding(artifact.path, problem, repair if size != LINK else f"rm {path} && {repair}")


def check_remote(
    store: HashFileDB, remote: str, artifacts: list[Artifact], owners: dict[str, str]
) -> Iterator[Finding]:
    """Yield the artifacts whose object is missing or wrong, then the objects that no commit and no run names."""
    fs, address, found = store.fs, store.fs.unstrip_protocol(store.path), list_files(store.fs, store.path)

    def problem_of(artifact: Artifact) -> str | None:
        path = store.oid_to_path(artifact.md5)
        return content_problem(lambda mode: fs.open(path, mode), found.get(object_key(artifact.md5)), artifact, owners)

    with ThreadPoolExecutor(fs.jobs) as pool:
        problems = list(pool.map(problem_of, artifacts))
    for artifact, problem in zip(artifacts, problems, strict=True):
        push = f"dvc push --remote {remote} {'--all-commits' if artifact.commit else artifact.path}"
        key = object_key(artifact.md5)
        first = f"delete {address}/{key}, then" if key in found else "where it is in the cache:"
        if problem:
            yield Finding(str(artifact), f"on {remote}: {problem}", f"{first} {push}")
    runs = fs.join(fs.parent(fs.parent(store.path)), "runs")  # the run cache, beside files/md5
    texts = [fs.cat_file(fs.join(runs, path)).decode() for path, size in list_files(fs, runs).items() if size != LINK]
    known = owners.keys() | {md5 for text in texts for md5 in MD5.findall(text)}
    for key in sorted(found.keys() - set(map(object_key, known))):
        what = "left over from an interrupted push" if key.endswith(".tmp") else "foreign, no commit names it"
        repair = f"git fetch --all, in case a new commit names it; delete {address}/{key}"
        yield Finding(key, f"on {remote}: {what}", repair)


def list_files(fs: FileSystem, folder: str) -> dict[str, int]:
    """Return the size of each file below a folder by its path there, LINK for a link, which is not followed."""
    sizes = {}
    for entry in [entry for _, _, files in fs.walk(folder, detail=True) for entry in files.values()]:
        is_file = entry["type"] == "file" and not entry.get("islink")
        sizes[fs.relpath(entry["name"], folder)] = (entry.get("size") or 0) if is_file else LINK
    return sizes


def content_problem(open_file: Callable, size: int | None, artifact: Artifact, owners: dict[str, str]) -> str | None:
    """Say what is wrong with an artifact's file of `size` bytes (None: missing), None if nothing is."""
    expected, md5 = size if artifact.size is None else artifact.size, hashlib.md5(usedforsecurity=False)
    if size is None or size == LINK:
        return "missing" if size is None else "a link that leads elsewhere"
    if size > expected:
        return f"too long: {size} bytes instead of {expected}"
    try:
        with open_file("rb") as file:
            while block := file.read(1 << 20):
                md5.update(block)
    except Exception as error:  # a folder; and each kind of remote fails in its own way
        return f"cannot be read ({type(error).__name__}: {error})"
    if md5.hexdigest() == artifact.md5.removesuffix(".dir"):
        return None
    if md5.hexdigest() in owners:
        return f"swapped: it holds the content of {owners[md5.hexdigest()]}"
    return f"truncated: {size} bytes of {expected}" if size < expected else "changed: its hash differs"
