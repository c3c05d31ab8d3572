"""Two sides of a comparison as one HTML file: it runs no script, loads nothing, and follows the reader's light or dark.

Text of users stays text, pictures are embedded, maps are SVG: one path for each class, a point being a stroke of no
length with a round cap, which is a tenth of the size of as many circles.
"""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from commands.report import report_page
from stages.common.colours import class_colour

SIDE, MARGIN = 1000, 20  # of a map's drawing
STEPS = 5  # shares of neighbours kept that are told apart by colour


@dataclass(frozen=True)
class DrawnMap:
    """A map to draw: `positions` (n, 2 or more), of which the first two axes are seen, and int `groups` (n,)."""

    caption: str
    positions: np.ndarray
    groups: np.ndarray
    colours: Sequence[str]


def comparison_page(old: str, new: str, summary: str, sections: Iterable[str]) -> str:
    """The page for two sides by their names. `sections` are what the functions below make; all else is plain text."""
    heading = f'{html.escape(old)} <span class="arrow">→</span> {html.escape(new)}'
    return report_page(f"{old} → {new}", heading, summary, sections)


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str, kind: str = "soft") -> str:
    return f'<p class="{kind}">{html.escape(text)}</p>'


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], kinds: Iterable[str] = (), numbers: range = range(0)
) -> str:
    """Rows of text under their heads. `kinds` are the rows' classes, `numbers` the columns that stand to the right."""

    def cells(row: Sequence[str], head: bool) -> str:
        made = ""
        for column, text in enumerate(row):
            tag = "th" if head or column == 0 else "td"
            kind = ' class="number"' if column in numbers else ' class="verdict"' if column == len(row) - 1 else ""
            made += f"<{tag}{kind}>{html.escape(text)}</{tag}>"
        return made

    rows = list(rows)
    kinds = list(kinds) or [""] * len(rows)
    body = "\n".join(f'<tr class="{kind}">{cells(row, head=False)}</tr>' for row, kind in zip(rows, kinds, strict=True))
    head = f"<thead><tr>{cells(heads, head=True)}</tr></thead>"
    return f'<div class="wide"><table>\n{head}\n<tbody>\n{body}\n</tbody></table></div>'


def picture_pair(path: str, sides: Sequence[tuple[str, bytes | None]]) -> str:
    """A PNG of both sides, each with its side's name; None where a side has none."""

    def figure(name: str, content: bytes | None) -> str:
        if content is None:
            return f"<figure><figcaption>not in {html.escape(name)}</figcaption></figure>"
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        image = f'<img src="{source}" alt="{html.escape(f"{path} of {name}")}">'
        return f"<figure>{image}<figcaption>{html.escape(name)}</figcaption></figure>"

    return f'<div class="pair"><h3>{html.escape(path)}</h3>{"".join(figure(*side) for side in sides)}</div>'


def draw_maps(maps: Sequence[DrawnMap], frame: Sequence[np.ndarray]) -> str:
    """Maps side by side, all in the frame that holds the positions `frame`."""
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


def class_colours(names: Sequence[str]) -> list[str]:
    return [class_colour(label) for label in range(len(names))]


def share_steps(shares: np.ndarray) -> tuple[np.ndarray, list[str], list[str]]:
    """Shares (n,) from 0 to 1 as STEPS groups (n,), and the groups' names and colours."""
    groups = np.minimum((shares * STEPS).astype(int), STEPS - 1)
    names = [f"{100 * step // STEPS} to {100 * (step + 1) // STEPS} % kept" for step in range(STEPS)]
    return groups, names, [to_hex(colormaps["viridis"](0.08 + 0.84 * step / (STEPS - 1))) for step in range(STEPS)]
