"""How a stage ends when the user's input is wrong: one line on stderr, exit status 1, no traceback."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """A parameter, file or image is wrong. The message says what, where (file and key), and what would be right.

    It is one line, whatever text of other libraries it quotes.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(message.split()))


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; an `InputError` becomes one line on stderr and exit status 1."""
    try:
        main()
    except InputError as error:
        print(f"fitmap: {error}", file=sys.stderr)
        sys.exit(1)
