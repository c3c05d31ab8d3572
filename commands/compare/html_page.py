"""A comparison as one HTML file that runs no script and loads nothing.

Text of users is escaped, pictures are embedded. Maps are SVG with one path for each class, in which a point is a line
of length zero with a round cap: a tenth of the size of as many circles.
"""

import base64
import hashlib
import html
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

SIDE, MARGIN = 1000, 20  # of a map's drawing
STEPS = 5  # colours for the share of neighbours kept
PAGE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'sha256-$digest'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$old → $new</title>
<style>$style</style>
</head>
<body>
<header>
<h1>$old <span class="arrow">→</span> $new</h1>
<p>$summary</p>
</header>
$body
</body>
</html>
""")


@dataclass(frozen=True)
class DrawnMap:
    """A map to draw: `positions` (n, 2 or 3), of which the first two axes are shown, and groups (n,), -1 unknown."""

    caption: str
    positions: np.ndarray
    groups: np.ndarray
    colours: Sequence[str]


def comparison_page(old: str, new: str, summary: str, sections: Iterable[str]) -> str:
    """Return the page. `sections` come from the functions below; all else is plain text."""
    style = Path(__file__).with_suffix(".css").read_text("utf-8")
    return PAGE.substitute(
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        style=style,
        old=html.escape(old),
        new=html.escape(new),
        summary=html.escape(summary),
        body="\n".join(sections),
    )


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str, style: str = "soft") -> str:
    return f'<p class="{style}">{html.escape(text)}</p>'


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = (), numbers: range = range(0)
) -> str:
    """Return a table of text; `styles` are CSS classes of the rows, `numbers` the columns that are right-aligned."""

    def cells(row: Sequence[str], tag: str) -> str:
        classes = ["number" if i in numbers else "verdict" if i == len(row) - 1 else "" for i in range(len(row))]
        tags = ["th", *[tag] * (len(row) - 1)]
        return "".join(f'<{t} class="{c}">{html.escape(x)}</{t}>' for t, c, x in zip(tags, classes, row, strict=True))

    styles = styles or [""] * len(rows)
    body = "\n".join(f'<tr class="{style}">{cells(row, "td")}</tr>' for row, style in zip(rows, styles, strict=True))
    head = f"<thead><tr>{cells(heads, 'th')}</tr></thead>"
    return f'<div class="wide"><table>\n{head}\n<tbody>\n{body}\n</tbody></table></div>'


def picture_pair(path: str, sides: Sequence[tuple[str, bytes | None]]) -> str:
    """Return a PNG of both sides, each with its side's name; None if a side has none."""

    def figure(name: str, content: bytes | None) -> str:
        if content is None:
            return f"<figure><figcaption>not in {html.escape(name)}</figcaption></figure>"
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        image = f'<img src="{source}" alt="{html.escape(f"{path} of {name}")}">'
        return f"<figure>{image}<figcaption>{html.escape(name)}</figcaption></figure>"

    return f'<div class="pair"><h3>{html.escape(path)}</h3>{"".join(figure(*side) for side in sides)}</div>'


def draw_maps(maps: Sequence[DrawnMap], frame: Sequence[np.ndarray]) -> str:
    """Draw maps side by side, in one frame that holds all positions in `frame`."""
    seen = np.concatenate([positions[:, :2] for positions in frame])
    low, span = seen.min(axis=0), max(float(np.ptp(seen, axis=0).max()), 1e-12)
    return '<div class="maps">' + "".join(_figure(drawn, low, span) for drawn in maps) + "</div>"


def _figure(drawn: DrawnMap, low: np.ndarray, span: float) -> str:
    places = np.rint((drawn.positions[:, :2] - low) / span * (SIDE - 2 * MARGIN) + MARGIN).astype(int)
    paths = ""
    for group in np.unique(drawn.groups):
        points = "".join(f"M{x} {SIDE - y}h0" for x, y in places[drawn.groups == group])
        look = f'stroke="{drawn.colours[group]}"' if group >= 0 else 'class="unknown"'
        paths += f'<path {look} d="{points}"/>'
    caption = html.escape(drawn.caption)
    drawing = f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{caption}">{paths}</svg>'
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def legend(names: Sequence[str], colours: Sequence[str]) -> str:
    entries = (
        f'<li><svg viewBox="0 0 10 10"><circle cx="5" cy="5" r="5" fill="{colour}"/></svg>{html.escape(name)}</li>'
        for name, colour in zip(names, colours, strict=True)
    )
    return f'<ul class="legend">{"".join(entries)}</ul>'


def share_steps(shares: np.ndarray) -> tuple[np.ndarray, list[str], list[str]]:
    """Return shares (n,) from 0 to 1 as STEPS groups (n,), with the groups' names and colours."""
    groups = np.minimum((shares * STEPS).astype(int), STEPS - 1)
    names = [f"{100 * step // STEPS} to {100 * (step + 1) // STEPS} % kept" for step in range(STEPS)]
    return groups, names, [to_hex(colormaps["viridis"](0.08 + 0.84 * step / (STEPS - 1))) for step in range(STEPS)]
