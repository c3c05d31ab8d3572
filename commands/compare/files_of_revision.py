"""The project's files at a git revision, an experiment, or in the workspace: from git, DVC's cache or the remote."""

from functools import cached_property
from typing import NoReturn

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import resolve_rev
from scmrepo.exceptions import SCMError

from stages.common.errors import InputError


class Missing(Exception):
    """The content of a file is nowhere. The message is one line, with the remedy."""


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

    @property
    def title(self) -> str:
        """Return the name, with the commit if the name is not the commit's."""
        known = self.commit is None or self.commit.startswith(self.name)
        return self.name if known else f"{self.name} ({self.commit[:7]})"

    @cached_property
    def _files(self) -> DVCFileSystem:
        return DVCFileSystem(rev=self.commit)

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None if the revision has no such file. Raises `Missing` if it is nowhere."""
        try:
            if not self._files.isfile(path):
                return None
        except DvcException as error:
            raise InputError(f"{self.name}: {error}")
        try:
            return self._files.cat_file(path)
        except Exception as error:  # each kind of remote fails in its own way
            run = f"git checkout {self.commit[:7]} && dvc repro" if self.commit else "dvc repro"
            reason = f"{type(error).__name__}: {error}"
            raise Missing(
                f"{path} of {self.name} is neither here nor on the remote ({reason}): to make it, run `{run}`"
            )
