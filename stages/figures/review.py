"""What is worth a review, as a contact sheet: the first findings of each kind with their images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.figures.style import FIT, INK, MUTED, draw_note, new_figure, paper, shorten
from stages.figures.tiles import draw_tile

PER_KIND, PER_ROW = 12, 6  # findings
SIDE, GAP = 0.72, 0.05  # inches: a tile, and between the two of a pair
WIDE, HIGH, HEADING = 1.85, 1.22, 0.42  # inches: a finding, a row of them, the heading of a kind
TITLES = {
    "leak": "Leaks: copies in training and in test",
    "duplicate": "Duplicates: copies within a split",
    "label": "Suspect labels, with the suggested class",
    "outlier": "Outliers: far from all others, or badly rebuilt",
    "thin": "Thin spots: classes too small, or without a group",
}


def draw_review(review: pd.DataFrame, file_names: np.ndarray, images: np.ndarray) -> Figure:
    """Draw the first findings of each kind of the table `plots/review.csv`.

    `file_names` (n,) are those of all samples, `images` uint8 (n, h, w) or (n, h, w, 3) in their order, or (0, …).
    """
    kinds = [kind for kind in TITLES if (review["kind"] == kind).any()]
    if not kinds:
        return draw_note("What is worth a review", "No duplicates, leaks, outliers or suspect labels were found.")
    row_of = {name: row for row, name in enumerate(file_names)}
    shown = {kind: review[review["kind"] == kind].head(PER_KIND) for kind in kinds}
    lines = {kind: -(-len(found) // PER_ROW) for kind, found in shown.items()}
    width, height = PER_ROW * WIDE + 0.3, sum(HEADING + HIGH * count for count in lines.values())
    with paper():
        figure = new_figure(width, height + 0.75, "What is worth a review", "all findings: plots/review.csv")
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, height / (height + 0.75)))
        axes.set_axis_off()
        top = 0.0
        for kind in kinds:
            count = int((review["kind"] == kind).sum())
            axes.text(0, top - 0.2, f"{TITLES[kind]} ({count:,})", size=10, weight="bold", color=INK, va="center")
            for number, found in enumerate(shown[kind].itertuples()):
                left, above = number % PER_ROW * WIDE, top - HEADING - number // PER_ROW * HIGH
                for place, name in enumerate(filter(None, (found.file_name, _pair(found, kind)))):
                    if len(images):
                        draw_tile(axes, images[row_of[name]], left + place * (SIDE + GAP), above, SIDE)
                axes.text(left, above - SIDE - 0.11, shorten(found.file_name, 24), size=7, color=INK, va="center")
                caption, colour = _caption(found, kind)
                axes.text(left, above - SIDE - 0.27, shorten(caption, 32), size=7, color=colour, va="center")
            top -= HEADING + HIGH * lines[kind]
        axes.set(xlim=(-0.16, width - 0.16), ylim=(-height, 0.1))
        return figure


def _pair(found, kind: str) -> str | None:
    """Return the file name of the copy that is shown beside a duplicate or a leak."""
    return found.other_file_name if kind in ("duplicate", "leak") else None


def _caption(found, kind: str) -> tuple[str, str]:
    """Return what is said below a finding, and its colour."""
    if kind == "label":
        return f"{found.label} → {found.suggestion}", FIT
    return found.why, MUTED
