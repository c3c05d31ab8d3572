"""Progress bars for long work."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress(iterable: Iterable | None, description: str, unit: str = "it", total: int | None = None) -> tqdm:
    """Return a bar on stderr over `iterable`; in a log file, which cannot be redrawn, a line every ten seconds."""
    return tqdm(
        iterable,
        desc=description,
        unit=unit,
        total=total,
        file=sys.stderr,
        mininterval=0.2 if sys.stderr.isatty() else 10,
        dynamic_ncols=True,
    )
