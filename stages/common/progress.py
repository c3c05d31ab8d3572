"""Progress bars for long work."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


class Bar(tqdm):
    """A tqdm bar that draws itself at its own pace, also when its postfix changes."""

    def set_postfix(self, *args, refresh: bool = False, **values) -> None:
        super().set_postfix(*args, refresh=refresh, **values)


def progress(iterable: Iterable | None, description: str, unit: str = "it", total: int | None = None) -> Bar:
    """A bar on stderr over `iterable`; in a log file, where it cannot redraw itself, a line every ten seconds."""
    return Bar(
        iterable,
        desc=description,
        unit=unit,
        total=total,
        file=sys.stderr,
        mininterval=0.2 if sys.stderr.isatty() else 10,
        dynamic_ncols=True,
    )
