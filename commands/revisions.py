"""The project's files at a revision: from Git, and from DVC's cache for what DVC keeps. Nothing is fetched.

A revision is whatever Git takes for one, or an experiment's name; None is the workspace.
"""

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
    """A file that the revision has, but whose content is not here. The message is one line, with what mends it."""


def commit_of(name: str) -> str:
    """The commit that a revision or an experiment's name stands for. Raises `InputError` for anything else."""
    try:
        with Repo() as repo:
            return resolve_rev(repo.scm, resolve_rev(repo.scm, name) + "^{commit}") if name else _refuse(name)
    except (DvcException, SCMError):
        _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise InputError(f"{name!r:.80} is neither a Git revision of this project nor an experiment")


class Revision:
    """One side of a comparison."""

    def __init__(self, name: str | None):
        self.name = "workspace" if name is None else name
        self.commit = None if name is None else commit_of(name)
        self._content: dict[str, bytes | None] = {}

    @property
    def title(self) -> str:
        """The name, and the commit that it stands for where the name does not say it."""
        known = self.commit is None or self.commit.startswith(self.name)
        return self.name if known else f"{self.name} ({self.commit[:7]})"

    @cached_property
    def _files(self) -> DVCFileSystem:
        return DVCFileSystem(rev=self.commit)

    def pictures(self) -> list[str]:
        """The paths of all PNG files in plots/, whether their content is here or not."""
        try:
            return sorted(path.lstrip("/") for path in self._files.ls("plots", detail=False) if path.endswith(".png"))
        except FileNotFoundError:
            return []
        except DvcException as error:
            raise InputError(f"{self.name}: {error}")

    def digest(self, path: str) -> str | None:
        """The MD5 of the file's content, which for what DVC keeps need not be here; None if there is no such file."""
        info = self._info(path)
        if info is None:
            return None
        return info["md5"] if "fs_info" not in info else hashlib.md5(self.read(path)).hexdigest()

    def read(self, path: str) -> bytes | None:
        """The file's content, None if the revision has no such file. Raises `Missing` if it is not in the cache."""
        if path not in self._content:
            self._content[path] = self._read(path)
        return self._content[path]

    def _read(self, path: str) -> bytes | None:
        info = self._info(path)
        if info is None:
            return None
        if "fs_info" in info:  # in the workspace, or in Git
            with self._files.repo.fs.open(self._files.repo.fs.join(self._files.repo.root_dir, path), "rb") as file:
                return file.read()
        cached = Path(self._files.repo.cache.local.oid_to_path(info["md5"]))
        content = cached.read_bytes() if cached.is_file() else None
        if content is None or hashlib.md5(content).hexdigest() != info["md5"]:
            state = "is not in DVC's cache" if content is None else "is damaged in DVC's cache"
            raise Missing(f"{path} of {self.name} {state}: {self._mend(path)}")
        return content

    def _mend(self, path: str) -> str:
        return f"`dvc pull {'--all-commits ' if self.commit else ''}{path}` fetches it"

    def _info(self, path: str) -> dict | None:
        try:
            info = self._files.info(path)
        except FileNotFoundError:
            return None
        except DvcException as error:
            raise InputError(f"{self.name}: {error}")
        return info if info.get("md5") or "fs_info" in info else None
