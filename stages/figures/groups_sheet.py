"""The groups of the map as a contact sheet: one row for each, its most typical images beside each other."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.common.colours import class_colour
from stages.figures.style import INK, MUTED, draw_note, paper, shorten
from stages.figures.tiles import draw_tile, new_sheet

TYPICAL = 9  # images of a group: its medoid and the eight next ones
MOST = 60  # groups in one picture
SIDE, GAP, NAME, HIGH = 0.5, 0.05, 1.5, 0.62  # inches: a tile, between tiles, for the name, from row to row


def draw_groups(groups: pd.DataFrame, group: np.ndarray, rank: np.ndarray, images: np.ndarray, names: list) -> Figure:
    """Draw the groups; those of one class stand beside each other.

    Args:
        groups: the table `plots/groups.csv`.
        group, rank: int (p,), the group of each row on the map (-1: none) and its rank in it, from 1, the medoid.
        images: uint8 (p, h, w) or (p, h, w, 3), or (0, …) without images; then the medoids are named.
        names: the classes, whose order gives their colours.
    """
    shown = groups.head(MOST)
    if shown.empty:
        return draw_note("Groups on the map", "The map has too few points for groups, or none that stand apart.")
    columns = 2 if len(shown) > 8 else 1
    rows = -(-len(shown) // columns)
    strip = NAME + TYPICAL * (SIDE + GAP) + 0.3
    width, height = columns * strip + 0.2, rows * HIGH + 0.1
    note = "each row: the medoid of a group" + (", then its next most typical" if len(images) else "")
    if (groups["label"].fillna("") != "").any():
        note += "; percentage: share of its main class"
    if shown["told_by"].notna().any():
        note += "; below: means of what tells groups apart"
    if len(groups) > MOST:
        note += f"; the first {MOST} of {len(groups)} groups"
    colours = {name: class_colour(label) for label, name in enumerate(names)}
    with paper():
        figure, axes = new_sheet(width, height, f"{len(groups)} groups on the map", note)
        for place, row in enumerate(shown.itertuples()):
            left, top = (place // rows) * strip, -(place % rows) * HIGH
            known = isinstance(row.label, str) and row.label != ""
            name = shorten(row.label, 16) if known else f"group {row.group}"
            share = f", {row.purity:.0%}" if known and row.purity == row.purity else ""
            colour = colours.get(row.label, INK)
            axes.text(left, top - 0.08, name, size=9, weight="bold", color=colour, va="center")
            told = row.told_by.split("; ") if isinstance(row.told_by, str) else []
            for line, text in enumerate([f"{row.rows:,} rows{share}", *told]):
                axes.text(left, top - 0.23 - 0.13 * line, shorten(text, 27), size=7, color=MUTED, va="center")
            if not len(images):
                axes.text(left + NAME, top - 0.08, shorten(row.medoid, 60), size=8.5, color=INK, va="center")
                continue
            members = np.flatnonzero((group == row.group) & (rank <= TYPICAL))
            for number, member in enumerate(members[np.argsort(rank[members])]):
                edge = colour if number == 0 else None
                draw_tile(axes, images[member], left + NAME + number * (SIDE + GAP), top, SIDE, edge)
        return figure
