"""The density of very many points on the map, as a small grey picture beneath what is drawn."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

CELLS = (24, 256)  # along the longer side: fewest and most
POINTS_PER_CELL = 3  # if the points filled their square evenly; fewer would show as speckles
BLUR = 0.8  # standard deviation in cells
LEVELS = 32  # of grey, which nobody tells from 256 under the points; a third of the bytes


@dataclass(frozen=True)
class Density:
    """The density of `count` points: shades (rows, columns) uint8, the first row uppermost, 0 empty and 255 densest.

    extent: left, right, bottom and top of the picture, in units of the map.
    """

    count: int
    shades: np.ndarray
    extent: tuple[float, float, float, float]


def density_beneath(positions: np.ndarray, others: np.ndarray) -> Density | None:
    """Return the density of a 2-D map's points and of those placed among them; None without any, and for a 3-D map."""
    if not len(others) or positions.shape[1] == 3:
        return None
    return density_of(np.concatenate([positions, others]))


def density_of(xy: np.ndarray) -> Density:
    """Return the density of points (n, 2), n > 0, on a logarithmic scale, slightly blurred."""
    low, high = xy.min(axis=0).astype(np.float64), xy.max(axis=0).astype(np.float64)
    longer = max((high - low).max(), 1e-9)
    side = longer / np.clip(round((len(xy) / POINTS_PER_CELL) ** 0.5), *CELLS)
    margin = 3 * BLUR * side  # so that the blur ends within the picture
    cells = np.ceil((high - low + 2 * margin) / side).astype(int)
    corner = (low + high - cells * side) / 2
    edges = [start + side * np.arange(number + 1) for start, number in zip(corner, cells, strict=True)]
    counts = gaussian_filter(np.histogram2d(*xy.T, bins=edges)[0], BLUR, mode="constant")
    shares = np.log1p(counts) / np.log1p(counts.max())
    shades = np.rint(np.rint(shares * (LEVELS - 1)) * (255 / (LEVELS - 1))).astype(np.uint8)
    extent = (edges[0][0], edges[0][-1], edges[1][0], edges[1][-1])
    return Density(len(xy), np.ascontiguousarray(shades.T[::-1]), tuple(map(float, extent)))
