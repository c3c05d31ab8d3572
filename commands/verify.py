"""`fitmap verify`: are the artifacts, here and on a remote, those that dvc.lock names?

Nothing that is checked is trusted; it is only hashed. No pickle is read, not even of DVC's own caches, no link is
followed, and of no object more is read than dvc.lock says it has.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import IO

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB

from commands.locked import MD5, Artifact, committed_artifacts, current_artifacts
from commands.provenance import Finding, edited_during_run
from stages.common.errors import InputError

OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}")
LARGEST_LIST = 1 << 20  # bytes read of a directory object or an entry of the run cache; both are short texts
CHUNK = 1 << 20


def verify(remote: str | None, all_commits: bool, as_json: bool) -> None:
    """Print what is missing, truncated, swapped or foreign; the exit status is 1 then.

    With a remote its objects are checked too, and what the workspace lacks is no finding: a pull would fetch it.
    """
    current, history = current_artifacts(), committed_artifacts()
    owners = {artifact.md5: str(artifact) for artifact in (*history, *current)}
    wanted = {
        artifact.md5: artifact for artifact in ((*history, *current) if all_commits else current) if artifact.cached
    }
    findings = check_workspace(current, owners, missing_is_wrong=remote is None) + edited_during_run(Path())
    if remote is not None:
        with remote_objects(remote) as objects:
            findings += check_remote(objects, remote, list(wanted.values()), owners)
    report(findings, len(current), as_json)


def report(findings: list[Finding], checked: int, as_json: bool) -> None:
    """Print the findings, as text or JSON, and end with status 1 if there are any."""
    if as_json:
        print(json.dumps({"checked": checked, "findings": [finding._asdict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{finding.path}: {finding.problem}\n  repair: {finding.repair}")
        print(f"checked {checked} artifacts: {len(findings) or 'no'} findings")
    if findings:
        raise SystemExit(1)


def check_workspace(artifacts: list[Artifact], owners: dict[str, str], missing_is_wrong: bool) -> list[Finding]:
    """The artifacts whose file is not what dvc.lock names; `owners` tells whose content it may hold instead."""
    findings = []
    for artifact in artifacts:
        path = Path(artifact.path)
        repair = f"dvc pull --force {path}" if artifact.cached else f"git checkout -- {path}"
        if leaves_project(path):
            findings.append(Finding(artifact.path, "a link that leads out of the project", f"rm {path} && {repair}"))
        elif not path.exists():
            findings += [Finding(artifact.path, "missing", repair)] * missing_is_wrong
        elif not path.is_file():
            findings.append(Finding(artifact.path, "not a file", f"move {path} away, then {repair}"))
        elif problem := content_problem(lambda path=path: path.open("rb"), path.stat().st_size, artifact, owners):
            findings.append(Finding(artifact.path, problem, repair))
    return findings


def leaves_project(path: Path) -> bool:
    """Whether a link, of the file or of a folder above it, leads elsewhere than into the project with its cache."""
    return not path.resolve().is_relative_to(Path().resolve())


def content_problem(
    open_content: Callable[[], IO[bytes]], size: int, artifact: Artifact, owners: dict[str, str]
) -> str | None:
    """What is wrong with a content of `size` bytes that should be the artifact's; None if nothing is."""
    if size > artifact.size:
        return f"too long: {size} bytes instead of {artifact.size}"
    try:
        with open_content() as file:
            md5, read = digest(file, artifact.size)
    except Exception as error:  # each kind of remote fails in its own ways; all of them mean the same
        return f"cannot be read ({type(error).__name__}: {error})"
    if md5 == artifact.md5:
        return None
    if md5 in owners:
        return f"swapped: it holds the content of {owners[md5]}"
    return f"truncated: {read} bytes of {artifact.size}" if read < artifact.size else "changed: its hash differs"


def digest(file: IO[bytes], limit: int) -> tuple[str, int]:
    """The MD5 of at most `limit` + 1 bytes, and how many were read."""
    md5, left = hashlib.md5(usedforsecurity=False), limit + 1
    while left and (chunk := file.read(min(CHUNK, left))):
        md5.update(chunk)
        left -= len(chunk)
    return md5.hexdigest(), limit + 1 - left


@contextmanager
def remote_objects(name: str) -> Iterator[HashFileDB]:
    """The object store of a remote, opened by DVC with the user's settings and an empty site cache.

    DVC keeps pickles in its site cache, which by default any user of the machine may write to.
    """
    before = os.environ.get("DVC_SITE_CACHE_DIR")
    with TemporaryDirectory(prefix="fitmap-") as folder:
        os.environ["DVC_SITE_CACHE_DIR"] = folder
        try:
            with Repo() as repository:
                yield repository.cloud.get_remote_odb(name)
        except InputError:
            raise
        except Exception as error:  # the client libraries have no exception in common
            kind = "" if isinstance(error, DvcException) else f"{type(error).__name__}: "
            raise InputError(f"remote {name} cannot be read: {kind}{error}")
        finally:
            os.environ.pop("DVC_SITE_CACHE_DIR")
            os.environ |= {"DVC_SITE_CACHE_DIR": before} if before is not None else {}


def check_remote(objects: HashFileDB, name: str, artifacts: list[Artifact], owners: dict[str, str]) -> list[Finding]:
    """The artifacts whose object there is missing or wrong, then the objects that no commit names."""
    found = list_objects(objects)
    push = f"dvc push --remote {name}"

    def check(artifact: Artifact) -> list[Finding]:
        key = f"{artifact.md5[:2]}/{artifact.md5[2:]}"
        again = f"{push} --all-commits" if artifact.commit else f"{push} {artifact.path}"
        if key not in found:
            return [Finding(str(artifact), f"missing on {name}", f"where it is in the cache: {again}")]
        entry = found[key]
        if is_file(entry):
            problem = content_problem(
                lambda: objects.fs.open(entry["name"], "rb"), entry.get("size") or 0, artifact, owners
            )
        else:
            problem = "a link or folder, not a file"
        where = f"{objects.fs.unstrip_protocol(objects.path)}/{key}"
        return [Finding(str(artifact), f"on {name} {problem}", f"delete {where}, then {again}")] if problem else []

    with ThreadPoolExecutor(objects.fs.jobs) as pool:
        findings = [finding for checked in pool.map(check, artifacts) for finding in checked]
    named = {f"{md5[:2]}/{md5[2:]}" for md5 in owners.keys() | run_cache_hashes(objects)}
    return findings + [foreign(objects, name, key, found[key]) for key in sorted(found.keys() - named)]


def list_objects(objects: HashFileDB) -> dict[str, dict]:
    """What lies in the store, by its path in it. Links are listed, not followed, so nothing behind one is found."""
    fs, found = objects.fs, {}
    folders = []
    for name, entry in list_folder(objects, objects.path):
        if entry["type"] == "directory" and not entry.get("islink"):
            folders.append((name, entry["name"]))
        else:
            found[name] = entry
    with ThreadPoolExecutor(fs.jobs) as pool:
        for (folder, _), entries in zip(folders, pool.map(lambda f: list_folder(objects, f[1]), folders), strict=True):
            found |= {f"{folder}/{name}": entry for name, entry in entries}
    return found


def list_folder(objects: HashFileDB, path: str) -> list[tuple[str, dict]]:
    """The entries of a folder of the remote by name; none if it is not there."""
    try:
        entries = objects.fs.ls(path, detail=True)
    except FileNotFoundError:
        return []
    names = [(PurePath(entry["name"]).name, entry) for entry in entries]
    return [(name, entry) for name, entry in names if name != PurePath(path).name]  # WebDAV and S3 may list itself


def is_file(entry: dict) -> bool:
    return entry["type"] == "file" and not entry.get("islink")


def run_cache_hashes(objects: HashFileDB) -> set[str]:
    """All hashes in the remote's run cache (runs/ beside files/): stages' results that no commit need name."""
    hashes, folders = set(), [objects.fs.join(objects.fs.parent(objects.fs.parent(objects.path)), "runs")]
    for _ in ("prefix", "key", "value"):
        entries = [entry for folder in folders for _, entry in list_folder(objects, folder)]
        folders = [entry["name"] for entry in entries if entry["type"] == "directory" and not entry.get("islink")]
        for entry in filter(is_file, entries):
            hashes |= set(MD5.findall(read_start(objects, entry).decode(errors="replace")))
    return hashes


def foreign(objects: HashFileDB, remote: str, key: str, entry: dict) -> Finding:
    """The finding for an object that no commit and no run names."""
    delete = f"delete {objects.fs.unstrip_protocol(objects.path)}/{key}"
    if key.endswith(".tmp"):
        return Finding(key, f"on {remote} left over from a push that was killed", delete)
    if key.endswith(".dir") and is_file(entry):
        return Finding(key, f"on {remote} {directory_problem(read_start(objects, entry))}", delete)
    if not OBJECT.fullmatch(key) or not is_file(entry):
        return Finding(key, f"on {remote} foreign: no object of DVC", delete)
    return Finding(
        key, f"on {remote} foreign: no commit names it", f"git fetch --all, in case a new one does; {delete}"
    )


def directory_problem(content: bytes) -> str:
    """What a directory object is up to; this project has none, since each of its outs is one file."""
    try:
        paths = [PureWindowsPath(entry["relpath"]) for entry in json.loads(content)]  # it splits at both / and \
    except (ValueError, TypeError, KeyError, RecursionError):
        return "foreign: a directory object that is damaged"
    outside = [path for path in paths if path.anchor or ".." in path.parts]
    if outside:
        return f"hostile: a directory object that would write outside, to {outside[0].as_posix()!r}"
    return "foreign: a directory object, and this project has none"


def read_start(objects: HashFileDB, entry: dict) -> bytes:
    with objects.fs.open(entry["name"], "rb") as file:
        return file.read(LARGEST_LIST)
