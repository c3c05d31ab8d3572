"""The map as coloured points, and what both pictures of the map share: its projection and its legend."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from stages.common.colours import class_colour
from stages.common.density import density_of
from stages.figures.style import INK, MUTED, PAPER, class_marker, legend, new_figure, paper, shorten

NAMED = 12  # with more classes than this their names would cover the map, and stand in the legend only
LISTED = 40  # classes in the legend; the others are counted
RINGS = 300  # placed test images drawn; more would hide the map
SHADES = LinearSegmentedColormap.from_list("shades", ["#70777f00", "#70777f"])  # from transparent


def draw_map_points(
    positions: np.ndarray,
    labels: np.ndarray,
    class_names: np.ndarray,
    placed: np.ndarray | None = None,
    placed_labels: np.ndarray | None = None,
    others: np.ndarray | None = None,
    size: float = 7.6,
) -> Figure:
    """Every image a point, coloured by its class; test images placed in the finished map as rings.

    Args:
        positions: float (n, 2 | 3), the map. One of 3 dimensions is drawn from two angles, side by side.
        labels: int (n,), -1 where unknown.
        class_names: str (classes,).
        placed: float (m, 2 | 3) and placed_labels int (m,), or None.
        others: float (p, 2 | 3), training images placed among those of the map; how dense all lie is its ground.
        size: height of the map in inches.
    """
    nobody = np.empty((0, positions.shape[1]))
    placed, others = (nobody if given is None else given for given in (placed, others))
    placed_labels = np.full(len(placed), -1) if placed_labels is None else placed_labels
    rings = np.unique(np.linspace(0, len(placed) - 1, min(len(placed), RINGS)).astype(int))
    flat = positions.shape[1] == 2
    note = f"{len(positions):,} images; near each other where the latent vectors are alike"
    if len(others):
        note += f"; grey: how dense these and {len(others):,} others lie, log scale"
    handles, names = class_entries(labels, class_names)
    if len(rings):
        handles.append(Line2D([], [], marker="o", linestyle="", markersize=6, mfc="white", mec=INK, mew=1.3))
        names.append(f"test image, placed in\nthe map ({len(rings)} of {len(placed):,} drawn)")
    columns = -(-len(names) // 26)
    angles = (None,) if flat else (30.0, 120.0)
    views = [project(positions, azimuth) for azimuth in angles]
    shapes = [np.clip(np.ptp(xy[:, 0]) / max(np.ptp(xy[:, 1]), 1e-9), 0.6, 1.6) for xy, _ in views]
    with paper():
        title = "The map of the images, coloured by kind"
        size *= 1 if flat else 0.75
        figure = new_figure(size * sum(shapes) + 2.3 * columns + 0.6, size + 1.1, title, note)
        panels = figure.subplots(1, len(angles), squeeze=False, width_ratios=shapes)[0]
        for axes, azimuth, (xy, depth) in zip(panels, angles, views, strict=True):
            if len(others):
                draw_density(axes, np.concatenate([xy, project(others, azimuth)[0]]))
            draw_points(axes, xy, depth, labels, 0.35 if len(others) else 1)
            if len(rings):
                draw_rings(axes, project(placed[rings], azimuth)[0], placed_labels[rings])
            if len(np.unique(labels[labels >= 0])) <= NAMED:
                draw_names(axes, xy, labels, class_names)
            axes.set_aspect("equal", adjustable="datalim")
            axes.margins(0.04)
            if flat:
                axes.set(xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)")
            else:
                axes.set(xticks=[], yticks=[], xlabel=f"the three t-SNE dimensions (no unit), seen from {azimuth:.0f}°")
                draw_triad(axes, azimuth)
        spacing = {"labelspacing": 0.55, "handletextpad": 0.4, "borderaxespad": 0, "columnspacing": 1}
        legend(panels[-1], handles, names, loc="upper left", bbox_to_anchor=(1.02, 1), ncols=columns, **spacing)
        return figure


def project(positions: np.ndarray, azimuth: float | None = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Positions on the paper (n, 2) and depth (n,), larger nearer the eye; a 2-D map is already there.

    A 3-D map is turned by `azimuth` degrees about its third axis and seen from 22° above, without perspective.
    """
    if positions.shape[1] == 2:
        return positions, np.zeros(len(positions))
    turn, lift = np.deg2rad(azimuth), np.deg2rad(22)
    x, y, z = positions.T
    right, away = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return np.stack([right, z * np.cos(lift) + away * np.sin(lift)], 1), z * np.sin(lift) - away * np.cos(lift)


def class_entries(labels: np.ndarray, class_names: np.ndarray) -> tuple[list[Line2D], list[str]]:
    """Legend handles and texts: each class with its count, empty ones too; beyond `LISTED` the rest as one line."""
    counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
    shown = range(min(len(class_names), LISTED))
    entries = [(label, f"{shorten(class_names[label])}  {counts[label]:,}") for label in shown]
    if unknown := int((labels < 0).sum()):
        entries.append((-1, f"without a label  {unknown:,}"))
    dot = {"linestyle": "", "markersize": 6.5, "markeredgewidth": 0}
    handles = [Line2D([], [], marker=class_marker(k), color=class_colour(k), **dot) for k, _ in entries]
    if rest := len(class_names) - len(shown):
        handles.append(Line2D([], [], linestyle=""))
        entries.append((0, f"and {rest:,} more classes  {counts[LISTED:].sum():,}"))
    return handles, [text for _, text in entries]


def draw_density(axes: Axes, xy: np.ndarray) -> None:
    """How dense the points (n, 2) lie, as the ground of the map."""
    density = density_of(xy)
    picture = axes.imshow(density.shades, cmap=SHADES, extent=density.extent, interpolation="bilinear", zorder=0.9)
    picture.sticky_edges.x[:], picture.sticky_edges.y[:] = [], []  # else the map would have no margin


def draw_points(axes: Axes, xy: np.ndarray, depth: np.ndarray, labels: np.ndarray, size: float = 1.0) -> None:
    """The points, the nearest last; in a flat map in shuffled order, so that no class covers another.

    size: their area, times that at which they just cover a map without a ground.
    """
    shuffled = np.random.default_rng(0).permutation(len(xy))
    order = shuffled[np.argsort(depth[shuffled], kind="stable")]
    area = size * float(np.clip(40000 / max(len(xy), 1), 1.5, 26))
    markers = np.array([class_marker(label) for label in labels])
    colours = np.array([class_colour(label) for label in labels])
    for marker in dict.fromkeys(markers):
        rows = order[markers[order] == marker]
        axes.scatter(*xy[rows].T, s=area, c=list(colours[rows]), marker=marker, alpha=0.8, linewidth=0)


def draw_rings(axes: Axes, xy: np.ndarray, labels: np.ndarray) -> None:
    """White discs edged in the colour of their class and, outside that, in ink."""
    axes.scatter(*xy.T, s=27, c=INK, linewidth=0, zorder=3)
    axes.scatter(*xy.T, s=19, c=[class_colour(label) for label in labels], linewidth=0, zorder=3)
    axes.scatter(*xy.T, s=5, c="white", linewidth=0, zorder=3)


def draw_triad(axes: Axes, azimuth: float) -> None:
    """The directions of the three dimensions, in the lower left corner."""
    tips, _ = project(np.eye(3), azimuth)
    for number, (x, y) in enumerate(tips, 1):
        where = {"xycoords": "axes fraction", "textcoords": "axes fraction"}
        corner, tip = (0.09, 0.07), (0.09 + 0.06 * x, 0.07 + 0.06 * y)
        axes.annotate("", tip, corner, arrowprops={"arrowstyle": "-|>", "color": MUTED, "shrinkA": 0}, **where)
        axes.text(
            0.09 + 0.077 * x,
            0.07 + 0.077 * y,
            f"{number}",
            size=8,
            color=MUTED,
            ha="center",
            va="center",
            transform=axes.transAxes,
        )


def draw_names(axes: Axes, xy: np.ndarray, labels: np.ndarray, class_names: np.ndarray) -> None:
    """Each class's name over the densest place of its points, moved up where it would cover another."""
    low, span = xy.min(0), np.ptp(xy, axis=0).max() or 1.0
    taken: list[np.ndarray] = []
    for label in np.unique(labels[labels >= 0]):
        place = densest(xy[labels == label], span / 14)
        while any((np.abs(place - other) < span * np.array([0.16, 0.035])).all() for other in taken):
            place = place + np.array([0, span * 0.036])
        taken.append(place)
        halo = [withStroke(linewidth=3.2, foreground=PAPER, alpha=0.92)]
        name = shorten(class_names[label], 18)
        side = "center" if low[0] + span * 0.1 < place[0] else "left"
        axes.text(*place, name, size=9, weight="bold", color=INK, ha=side, va="center", path_effects=halo, zorder=5)


def densest(xy: np.ndarray, cell: float) -> np.ndarray:
    """Mean of the points in the fullest square of side `cell`, (2,)."""
    _, place, counts = np.unique(np.floor(xy / cell), axis=0, return_inverse=True, return_counts=True)
    return xy[place.ravel() == counts.argmax()].mean(0)
