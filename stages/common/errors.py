"""How a stage ends when the user's input is wrong: one line on stderr, exit status 1, no traceback."""

import sys
from collections.abc import Callable

LONGEST = 800  # characters of a message: what it quotes may have no end


class InputError(Exception):
    """A parameter, file or image is wrong. The message says what, where (file and key), and what would be right.

    It is one line, whatever text of other libraries it quotes.
    """

    def __init__(self, message: str):
        line = " ".join(message.split())
        super().__init__(line if len(line) <= LONGEST else line[:LONGEST] + " …")


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; an `InputError`, or too little memory, becomes one line on stderr and exit status 1."""
    try:
        main()
    except InputError as error:
        print(f"fitmap: {error}", file=sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):  # torch's MemoryError
            raise
        print("fitmap: not enough memory for this input and these parameters: make them smaller", file=sys.stderr)
        sys.exit(1)
