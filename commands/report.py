"""What reports for readers, a comparison or DVC's charts, have in common: one page, one style, one policy."""

import html
import string
from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.page.security_policy import admitted, policy

FOLDER = Path(__file__).with_name("reports")


def report_page(title: str, heading: str, note: str, body: Iterable[str], scripts: Sequence[str] = ()) -> str:
    """One HTML file that loads nothing. `title` and `note` are plain text, `heading` and `body` are HTML.

    The policy admits the style, pictures that are embedded, and `scripts`, which end the page, by their hashes.
    """
    style = (FOLDER / "style.css").read_text("utf-8")
    sources = {"script_src": " ".join(map(admitted, scripts))} if scripts else {}
    return string.Template((FOLDER / "report.html").read_text("utf-8")).substitute(
        policy=policy(**sources, style_src=admitted(style), img_src="data:"),
        style=style,
        title=html.escape(title),
        heading=heading,
        note=html.escape(note),
        body="\n".join([*body, *(f"<script>{script}</script>" for script in scripts)]),
    )
