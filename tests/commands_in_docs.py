"""Read the commands that a page of documentation shows, so that tests can run them."""

import re
from pathlib import Path

PART = re.compile(
    r"^#+ (?P<heading>[^\n]+)|^```(?P<language>[^\n]*)\n(?P<block>.*?)^```", flags=re.MULTILINE | re.DOTALL
)


def sections(page: Path) -> dict[str, list[str]]:
    """Return the shell blocks below each heading, by the heading's text."""
    found, heading = {}, ""
    for part in PART.finditer(page.read_text(encoding="utf-8")):
        if part["heading"]:
            heading = part["heading"]
        elif part["language"] in ("sh", "bash"):
            found.setdefault(heading, []).append(part["block"])
    return found


def code_blocks(page: Path) -> list[str]:
    """Return the page's shell blocks."""
    return [block for blocks in sections(page).values() for block in blocks]


def commands(page: Path) -> list[str]:
    """Return every command line without its comment."""
    lines = "\n".join(code_blocks(page)).splitlines()
    return [command for line in lines if (command := line.split("  #")[0].strip()) and not command.startswith("#")]
