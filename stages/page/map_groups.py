"""The groups of the map as the page shows them: a name, a medoid, and an outline on a flat map."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from contourpy import contour_generator
from scipy.ndimage import gaussian_filter, map_coordinates

CELLS = (16, 64)  # along the longer side of a group, fewest and most, in which its density is computed
CELLS_PER_ROOT = 4  # cells along that side for each square root of the number of points
BLUR = 3.2  # standard deviation in cells
OUTSIDE = 0.04  # share of a group's points that may lie outside its outline, so that a few do not stretch it
ISLAND = 0.1  # least area of a further part of an outline, as a share of the largest part's


@dataclass(frozen=True)
class Group:
    """A group of points: its name, the index of its most typical point, and closed polygons float (k, 2) around it.

    `told_by` are the columns and values that set it apart.
    """

    name: str
    medoid: int
    outline: list[np.ndarray]
    told_by: str = ""


def groups_of(map_points: pd.DataFrame, table: pd.DataFrame, positions: np.ndarray) -> list[Group]:
    """Return the groups of the map.

    `map_points` is the table of `plots/map_points.csv`, whose rows have these positions (p, 2 or 3), `table` that of
    `plots/groups.csv`.
    """
    told_by = dict(zip(table["group"], table["told_by"].fillna(""), strict=True))
    groups, ranks = map_points["group"].to_numpy(), map_points["group_rank"].to_numpy()
    found = []
    for number, name in enumerate(group_names(map_points)):
        rows = np.flatnonzero(groups == number)
        medoid = int(rows[ranks[rows] == 1][0])
        lines = outline(positions[rows]) if positions.shape[1] == 2 else []
        found.append(Group(name, medoid, lines, told_by[number]))
    return found


def group_names(map_points: pd.DataFrame) -> list[str]:
    """Return the name of each group: its main class and a number, `Sneaker 1`, `Sneaker 2`, …"""
    names, used = [], {}
    for _, labels in map_points[map_points["group"] >= 0].groupby("group")["label"]:
        counts = labels.value_counts()
        name = str(counts.index[0]) if len(counts) else "group"
        used[name] = used.get(name, 0) + 1
        names.append(f"{name} {used[name]}")
    return names


def outline(positions: np.ndarray) -> list[np.ndarray]:
    """Return closed polygons (k, 2) around nearly all positions (m, 2): a contour of their blurred density."""
    xy = positions.astype(np.float64)
    low, high = xy.min(axis=0), xy.max(axis=0)
    longer = max((high - low).max(), 1e-3 * np.abs(xy).max(), 1e-9)
    side = longer / np.clip(round(CELLS_PER_ROOT * len(xy) ** 0.5), *CELLS)
    cells = np.ceil((high - low) / side + 8 * BLUR).astype(int)  # with an empty margin
    corner = (low + high - cells * side) / 2
    edges = [corner[axis] + side * np.arange(cells[axis] + 1) for axis in (0, 1)]
    density = gaussian_filter(np.histogram2d(*xy.T, bins=edges)[0], BLUR, mode="constant")
    at_points = map_coordinates(density, ((xy - corner) / side - 0.5).T, order=1)
    level = min(np.quantile(at_points, OUTSIDE), 0.9 * density.max())
    polygons = [line * side + corner + side / 2 for line in contour_generator(z=density.T).lines(level)]
    areas = [abs(_area(polygon)) for polygon in polygons]
    kept = [polygon for polygon, area in zip(polygons, areas, strict=True) if area >= ISLAND * max(areas)]
    return [_rounded(polygon, side) for polygon in kept]


def _area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def _rounded(polygon: np.ndarray, side: float) -> np.ndarray:
    """Round to a hundredth of a cell or finer, so that the page stays small."""
    return np.round(polygon, int(np.ceil(2 - np.log10(side))))
