"""The table of losses of a training, which grows while it runs: `dvc plots show` and `tail -f` follow it."""

from collections.abc import Sequence

import pandas as pd

from stages.common.artifacts import write_csv
from stages.common.errors import InputError


class LossTable:
    """The CSV file `path` with a row for each epoch. A reader never sees half a row: each is one write."""

    def __init__(self, path: str, columns: Sequence[str]):
        self.path, self.columns = path, list(columns)
        self.written = None

    def __call__(self, history: Sequence[Sequence[float]]) -> None:
        """Append the rows of `history` that are not in the file yet; the first call begins the file anew."""
        if self.written is None:
            write_csv(self.path, pd.DataFrame(history, columns=self.columns))
        else:
            rows = pd.DataFrame(history[self.written :], columns=self.columns)
            try:
                rows.to_csv(self.path, mode="a", header=False, index=False, lineterminator="\n")
            except OSError as error:
                raise InputError(f"{self.path} cannot be written ({error.strerror or error}): check free disk space")
        self.written = len(history)
