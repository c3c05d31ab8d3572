"""Read the project's files at a git revision, an experiment, or in the workspace, from git and from DVC's cache."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import resolve_rev
from scmrepo.exceptions import SCMError

from stages.common.errors import InputError


class Missing(Exception):
    """The content of a file is not in the cache. The message is one line, with the remedy."""


def commit_of(name: str) -> str:
    """Return the commit of a revision or an experiment. Raises `InputError` for any other name."""
    try:
        with Repo() as repo:
            return resolve_rev(repo.scm, resolve_rev(repo.scm, name) + "^{commit}") if name else _refuse(name)
    except (DvcException, SCMError):
        _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise InputError(f"{name!r:.80} is neither a Git revision of this project nor an experiment")


class Revision:
    """One side of a comparison. The name None stands for the workspace."""

    def __init__(self, name: str | None):
        self.name = "workspace" if name is None else name
        self.commit = None if name is None else commit_of(name)
        self._content: dict[str, bytes | None] = {}

    @property
    def title(self) -> str:
        """Return the name, with the commit if the name is not the commit's."""
        known = self.commit is None or self.commit.startswith(self.name)
        return self.name if known else f"{self.name} ({self.commit[:7]})"

    @cached_property
    def _files(self) -> DVCFileSystem:
        return DVCFileSystem(rev=self.commit)

    def pictures(self) -> list[str]:
        """Return the paths of the pictures that the pipeline drew, also of those that are not in the cache."""
        try:
            entries = self._files.ls("plots", detail=True)
        except FileNotFoundError:
            return []
        except DvcException as error:
            raise InputError(f"{self.name}: {error}")
        names = [entry["name"].lstrip("/") for entry in entries if entry.get("dvc_info", {}).get("isout")]
        return sorted(name for name in names if name.endswith(".png"))

    def digest(self, path: str) -> str | None:
        """Return the MD5 of a file, which need not be in the cache; None if the revision has no such file."""
        info = self._info(path)
        if info is None:
            return None
        return info["md5"] if "fs_info" not in info else hashlib.md5(self.read(path)).hexdigest()

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None if the revision has no such file. Raises `Missing` if DVC does not have it."""
        if path not in self._content:
            self._content[path] = self._read(path)
        return self._content[path]

    def _read(self, path: str) -> bytes | None:
        info = self._info(path)
        if info is None:
            return None
        repo = self._files.repo
        if "fs_info" in info:  # in the workspace, or in git
            with repo.fs.open(repo.fs.join(repo.root_dir, path), "rb") as file:
                return file.read()
        cached = Path(repo.cache.local.oid_to_path(info["md5"]))
        content = cached.read_bytes() if cached.is_file() else None
        if content is None or hashlib.md5(content).hexdigest() != info["md5"]:
            state = "is not in DVC's cache" if content is None else "is damaged in DVC's cache"
            raise Missing(f"{path} of {self.name} {state}{self._remedy(path, info['md5'])}")
        return content

    def _remedy(self, path: str, md5: str) -> str:
        """Say how to get a file: from the remote if it is there, else by running its stage."""
        run = f"run `git checkout {self.commit[:7]} && dvc repro`" if self.commit else "run `dvc repro`"
        try:
            remote = self._files.repo.cloud.get_remote_odb()
            if not remote.exists(md5):
                return f" nor on the remote: to make it, {run}"
        except Exception as error:  # each kind of remote fails in its own way
            return f", and the remote cannot be read ({error}): to make it, {run}"
        return f": fetch it with `dvc {f'fetch --all-commits {path}' if self.commit else f'pull {path}'}`"

    def _info(self, path: str) -> dict | None:
        try:
            info = self._files.info(path)
        except FileNotFoundError:
            return None
        except DvcException as error:
            raise InputError(f"{self.name}: {error}")
        return info if info.get("md5") or "fs_info" in info else None
