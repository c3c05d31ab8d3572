"""The maps of two revisions: aligned, the neighbours that each point keeps, and a picture of both."""

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from commands.compare.files_of_revision import Missing, Revision
from stages.common.errors import InputError
from stages.common.samples_table import SAMPLES, classes_of
from stages.figures.map_points import class_entries, draw_points, project
from stages.figures.style import legend, new_figure, paper
from stages.scores.align_maps import neighbours_kept, procrustes

NEIGHBOURS = 15  # of each point, on both maps
POINTS = "plots/map_points.csv"


@dataclass(frozen=True)
class Maps:
    """Two maps of the same points, the second aligned with the first.

    `old` and `new` (n, d) positions; `labels` (n,) classes, missing if unknown; `kept` (n,) share of each point's
    neighbours on the old map that are its neighbours on the new one; `left_out` points are on one of the maps alone.
    """

    old: np.ndarray
    new: np.ndarray
    labels: pd.Series
    kept: np.ndarray
    disparity: float
    left_out: int

    @property
    def by_chance(self) -> float:
        return NEIGHBOURS / (len(self.old) - 1)


def compare_maps(old: Revision, new: Revision) -> Maps:
    """Compare the points that have the same file name on both maps. Raises `Missing` if there are too few."""
    first, second = map(read_points, (old, new))
    both = first.index.intersection(second.index)
    if len(both) <= NEIGHBOURS:
        raise Missing("too few points are on both")
    left_out = len(first.index.symmetric_difference(second.index))
    first, second = first.loc[both], second.loc[both]
    positions = [table.drop(columns="label").to_numpy() for table in (first, second)]
    kept = neighbours_kept(*positions, NEIGHBOURS)
    axes = max(places.shape[1] for places in positions)
    fixed, moved = (np.pad(places, ((0, 0), (0, axes - places.shape[1]))) for places in positions)
    over = procrustes(moved, fixed)
    return Maps(fixed, over(moved), first["label"], kept, over.disparity, left_out)


def read_points(side: Revision) -> pd.DataFrame:
    """Return the map's table of a side, with its file names as the index."""
    content = side.read(POINTS)
    if content is None:
        raise Missing(f"{side.name} has no {POINTS}")
    types = {"file_name": "str", "label": "str", **dict.fromkeys("xyz", np.float64)}
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False, na_values=[""])
        axes = ["x", "y", *(["z"] if "z" in table else [])]
        return table.drop_duplicates("file_name").set_index("file_name")[["label", *axes]]
    except (ValueError, KeyError) as error:
        raise InputError(f"{POINTS} of {side.name} has no file_name, label, x and y ({error}): run `dvc repro`")


def draw_maps(maps: Maps, old: Revision, new: Revision) -> Figure:
    """Draw both maps by class, and the new one by the share of each point's neighbours that it kept."""
    classes = class_order(old, maps.labels)
    labels = pd.Categorical(maps.labels, categories=classes).codes.astype(int)
    (before, depth), (after, new_depth) = project(maps.old), project(maps.new)
    with paper():
        figure = new_figure(15, 5.6, "The points on both maps", f"{new.name} is aligned with {old.name}")
        panels = figure.subplots(1, 3, sharex=True, sharey=True)
        draw_points(panels[0], before, depth, labels)
        draw_points(panels[1], after, new_depth, labels)
        kept = panels[2].scatter(*after.T, s=9, c=maps.kept, vmin=0, vmax=1, linewidth=0)
        figure.colorbar(kept, ax=panels[2], label="share of neighbours kept")
        for axes, name in zip(panels, (old.name, new.name, new.name), strict=True):
            axes.set(title=name, xticks=[], yticks=[], aspect="equal")
        if classes:
            legend(panels[0], *class_entries(labels, classes), loc="upper right", bbox_to_anchor=(-0.02, 1))
        return figure


def class_order(side: Revision, labels: pd.Series) -> list[str]:
    """Return the classes in the order of the samples, in which they are coloured everywhere; else sorted."""
    found = sorted(labels.dropna().unique())
    try:
        classes = classes_of(pd.read_parquet(io.BytesIO(side.read(SAMPLES)), engine="pyarrow"))
    except (Missing, TypeError, ValueError, KeyError, AttributeError, OSError):  # nowhere, or damaged
        return found
    return classes if set(found) <= set(classes) else found
