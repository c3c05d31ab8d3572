"""What is worth a review, as a contact sheet: the first findings of each kind with their images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.figures.style import FIT, INK, MUTED, draw_note, paper, shorten
from stages.figures.tiles import draw_tile, new_sheet

PER_KIND, PER_ROW = 12, 6  # findings
SIDE, GAP = 0.72, 0.05  # inches: a tile, and between the two of a pair
WIDE, HIGH, HEADING = 1.85, 1.22, 0.42  # inches: a finding, a row of them, the heading of a kind
COPIES = ("leak", "duplicate")
TITLES = {
    "leak": "Leaks: copies in training and in test",
    "duplicate": "Duplicates: copies within a split",
    "label": "Suspect labels, with the suggested class",
    "outlier": "Outliers: far from all others, or badly rebuilt",
    "thin": "Thin spots: classes too small, or without a group",
}


def draw_review(review: pd.DataFrame, file_names: np.ndarray, images: np.ndarray) -> Figure:
    """Draw the first findings of each kind of the table `plots/review.csv`, copies in sets.

    `file_names` (n,) are those of all samples, `images` uint8 (n, h, w) or (n, h, w, 3) in their order, or (0, …).
    """
    kinds = [kind for kind in TITLES if (review["kind"] == kind).any()]
    if not kinds:
        return draw_note("What is worth a review", "No duplicates, leaks, outliers or suspect labels were found.")
    row_of = {name: row for row, name in enumerate(file_names)}
    cells = {kind: _cells(review[review["kind"] == kind], kind) for kind in kinds}
    lines = {kind: -(-len(found[:PER_KIND]) // PER_ROW) for kind, found in cells.items()}
    width, height = PER_ROW * WIDE + 0.3, sum(HEADING + HIGH * count for count in lines.values())
    with paper():
        figure, axes = new_sheet(width, height, "What is worth a review", "all findings: plots/review.csv")
        top = 0.0
        for kind in kinds:
            things = {1: " set"}.get(len(cells[kind]), " sets") if kind in COPIES else ""
            count = f"{len(cells[kind]):,}{things}"
            axes.text(0, top - 0.2, f"{TITLES[kind]} ({count})", size=10, weight="bold", color=INK, va="center")
            for number, (names, caption, colour) in enumerate(cells[kind][:PER_KIND]):
                left, above = number % PER_ROW * WIDE, top - HEADING - number // PER_ROW * HIGH
                columns = 2 if len(names) <= 2 else 4  # the copies of a larger set are half as large, in two rows
                step = 2 * (SIDE + GAP) / columns
                for place, name in enumerate(names[: columns**2 // 2] if len(images) else ()):
                    across, down = place % columns * step, place // columns * step
                    draw_tile(axes, images[row_of[name]], left + across, above - down, step - GAP)
                axes.text(left, above - SIDE - 0.11, shorten(names[0], 24), size=7, color=INK, va="center")
                axes.text(left, above - SIDE - 0.27, shorten(caption, 32), size=7, color=colour, va="center")
            top -= HEADING + HIGH * lines[kind]
        return figure


def _cells(findings: pd.DataFrame, kind: str) -> list[tuple[list[str], str, str]]:
    """Return what is shown of the findings of a kind: file names, a caption and its colour; copies in sets."""
    if kind == "label":
        return [([row.file_name], f"{row.label} → {row.suggestion}", FIT) for row in findings.itertuples()]
    if kind not in COPIES:
        return [([row.file_name], row.why, MUTED) for row in findings.itertuples()]
    cells = []
    for _, copies in findings.groupby("set"):
        names = list(dict.fromkeys([copies["file_name"].iloc[0], *copies["other_file_name"], *copies["file_name"]]))
        cells.append((names, copies["why"].iloc[0] if len(names) == 2 else f"{len(names)} copies", MUTED))
    return cells
