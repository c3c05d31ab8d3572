"""The map as coloured points, and what all pictures of the map share: its projection, its legend and its names."""

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from stages.common.colours import class_colour
from stages.common.map_density import density_of
from stages.figures.style import INK, PAPER, class_marker, legend, new_figure, paper, shorten

SIZE = 7.6  # inches, the height of the map
NAMED = 12  # classes whose names always stand on the map; of more classes, those that find room
LISTED = 40  # classes in the legend, and at most on the map; the others are counted
RINGS = 300  # placed test rows drawn; more would hide the map
SPOTS = 300  # places tried for a name, the densest first
THUMBNAIL = 22  # height in points of the image of a group
ROW_NAMES = 40  # names of single rows drawn at most
NUMBERED = re.compile(r"(row )?\d+")
SHADES = LinearSegmentedColormap.from_list("shades", ["#70777f00", "#70777f"])  # from transparent


def draw_map_points(
    positions: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    placed: np.ndarray | None = None,
    placed_labels: np.ndarray | None = None,
    others: np.ndarray | None = None,
    names: list[str] | None = None,
    things: str = "images",
    by: str = "class",
    medoids: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Draw each row as a point in the colour of its class; test rows placed on the finished map are rings.

    Args:
        positions: float (n, 2 | 3), the map.
        labels: int (n,), -1 where unknown.
        class_names: str (classes,).
        placed: float (m, 2 | 3) and placed_labels int (m,), or None.
        others: float (p, 2 | 3), training rows placed among those of the map. If they are more than n, the density of
            all is drawn beneath the points.
        names: str (n,), what each row is called; written beside as many points as there is room for.
        things: what the rows are, in the plural: images, rows.
        by: what the labels are: class, group. Groups are outlined.
        medoids: rows int (groups,) and images uint8 (groups, h, w[, 3]) that stand for the groups instead of names.
    """
    nothing = np.empty((0, positions.shape[1]))
    placed, others = (nothing if given is None else given for given in (placed, others))
    placed_labels = np.full(len(placed), -1) if placed_labels is None else placed_labels
    rings = np.unique(np.linspace(0, len(placed) - 1, min(len(placed), RINGS)).astype(int))
    known = (labels >= 0).any()
    note = f"{len(positions):,} {things}; near each other where the latent vectors are alike"
    crowded = len(others) > len(positions)  # fewer others lie where the points do, and the points show enough
    if crowded:
        note += f"; grey: density of these and {len(others):,} others, log scale"
    unknown = "in no group" if by == "group" else "without a label"
    handles, texts = class_entries(labels, class_names, unknown) if known else ([], [])
    if len(rings):
        handles.append(Line2D([], [], marker="o", linestyle="", markersize=6, mfc="white", mec=INK, mew=1.3))
        drawn = "" if len(rings) == len(placed) else f"\n({len(rings)} of {len(placed):,} drawn)"
        texts.append(f"test {things}, placed\non the finished map{drawn}")
    columns = -(-len(texts) // 26) if texts else 0
    xy, depth = project(positions)
    shape = np.clip(np.ptp(xy[:, 0]) / max(np.ptp(xy[:, 1]), 1e-9), 0.6, 1.6)
    with paper():
        title = f"The map of the {things}" + (f", coloured by {by}" if known else "")
        figure = new_figure(SIZE * shape + 2.3 * columns + 0.6, SIZE + 1.1, title, note)
        axes = figure.subplots()
        if crowded:
            draw_density(axes, np.concatenate([xy, project(others)[0]]))
        if by == "group":
            draw_outlines(axes, xy, labels)
        draw_points(axes, xy, depth, labels, 0.35 if crowded else 1)
        if len(rings):
            draw_rings(axes, project(placed[rings])[0], placed_labels[rings])
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.04)
        if positions.shape[1] == 2:
            axes.set(xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)")
        else:
            axes.set(xticks=[], yticks=[], xlabel="a view of the three t-SNE dimensions; plots/map.html turns them")
        spacing = {"labelspacing": 0.55, "handletextpad": 0.4, "borderaxespad": 0, "columnspacing": 1}
        if texts:
            legend(axes, handles, texts, loc="upper left", bbox_to_anchor=(1.02, 1), ncols=columns, **spacing)
        if medoids is not None:
            draw_medoids(axes, xy[medoids[0]], medoids[1])
            return figure
        boxes = draw_class_names(axes, xy, labels, class_names)
        if names is not None:
            draw_row_names(axes, xy, names, boxes)
        return figure


def project(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions on the paper (n, 2) and depth (n,), larger nearer the eye; a 2-D map is already there.

    A 3-D map is turned by 30° about its third axis and seen from 22° above, without perspective.
    """
    if positions.shape[1] == 2:
        return positions, np.zeros(len(positions))
    turn, lift = np.deg2rad(30), np.deg2rad(22)
    x, y, z = positions.T
    right, away = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return np.stack([right, z * np.cos(lift) + away * np.sin(lift)], 1), z * np.sin(lift) - away * np.cos(lift)


def class_entries(
    labels: np.ndarray, class_names: list[str], unknown: str = "without a label"
) -> tuple[list[Line2D], list[str]]:
    """Return legend handles and texts: each class with its count, empty ones too; beyond `LISTED` one line for all."""
    counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
    shown = range(min(len(class_names), LISTED))
    entries = [(label, f"{shorten(class_names[label])}  {counts[label]:,}") for label in shown]
    if others := int((labels < 0).sum()):
        entries.append((-1, f"{unknown}  {others:,}"))
    dot = {"linestyle": "", "markersize": 6.5, "markeredgewidth": 0}
    handles = [Line2D([], [], marker=class_marker(k), color=class_colour(k), **dot) for k, _ in entries]
    if rest := len(class_names) - len(shown):
        handles.append(Line2D([], [], linestyle=""))
        entries.append((0, f"and {rest:,} more classes  {counts[LISTED:].sum():,}"))
    return handles, [text for _, text in entries]


def draw_density(axes: Axes, xy: np.ndarray) -> None:
    """Draw the density of the points (n, 2) as the ground of the map."""
    density = density_of(xy)
    picture = axes.imshow(density.shades, cmap=SHADES, extent=density.extent, interpolation="bilinear", zorder=0.9)
    picture.sticky_edges.x[:], picture.sticky_edges.y[:] = [], []  # else the map would have no margin


def draw_points(axes: Axes, xy: np.ndarray, depth: np.ndarray, labels: np.ndarray, size: float = 1.0) -> None:
    """Draw the points, the nearest last; on a flat map in shuffled order, so that no class covers another.

    Without any label all have the colour of the first class. size: factor on their area; at 1 they just cover a map
    that has no ground.
    """
    labels = labels if (labels >= 0).any() else np.zeros_like(labels)
    shuffled = np.random.default_rng(0).permutation(len(xy))
    order = shuffled[np.argsort(depth[shuffled], kind="stable")]
    area = size * float(np.clip(40000 / max(len(xy), 1), 1.5, 26))
    markers = np.array([class_marker(label) for label in labels])
    colours = np.array([class_colour(label) for label in labels])
    for marker in dict.fromkeys(markers):
        rows = order[markers[order] == marker]
        axes.scatter(*xy[rows].T, s=area, c=list(colours[rows]), marker=marker, alpha=0.8, linewidth=0)


def draw_outlines(axes: Axes, xy: np.ndarray, labels: np.ndarray) -> None:
    """Draw the convex hull of each label's points (n, 2) in its colour."""
    for label in np.unique(labels[labels >= 0]):
        points = xy[labels == label]
        if np.linalg.matrix_rank(points - points[0]) == 2:  # else they have no hull
            hull = points[ConvexHull(points).vertices]
            axes.fill(*hull.T, facecolor=(class_colour(label), 0.1), edgecolor=class_colour(label), linewidth=0.8)


def draw_medoids(axes: Axes, xy: np.ndarray, images: np.ndarray) -> None:
    """Draw the image of each group, `THUMBNAIL` points high, at its medoid (groups, 2), with its number below."""
    for group, (place, image) in enumerate(zip(xy, images, strict=True)):
        picture = OffsetImage(image, zoom=THUMBNAIL / image.shape[0], cmap="gray", clim=(0, 255), dpi_cor=True)
        edge = {"edgecolor": class_colour(group), "linewidth": 1.6}
        axes.add_artist(AnnotationBbox(picture, place, pad=0, bboxprops=edge, zorder=4)).set_in_layout(False)
        text = _text(axes, str(group), size=7.5, weight="bold", va="top")
        text.set_position(place)
        text.set_transform(axes.transData + ScaledTranslation(0, -THUMBNAIL / 144, axes.figure.dpi_scale_trans))


def draw_rings(axes: Axes, xy: np.ndarray, labels: np.ndarray) -> None:
    """Draw white discs edged in the colour of their class and, outside that, in ink."""
    axes.scatter(*xy.T, s=27, c=INK, linewidth=0, zorder=3)
    axes.scatter(*xy.T, s=19, c=[class_colour(label) for label in labels], linewidth=0, zorder=3)
    axes.scatter(*xy.T, s=5, c="white", linewidth=0, zorder=3)


def draw_class_names(axes: Axes, xy: np.ndarray, labels: np.ndarray, class_names: list[str]) -> list[np.ndarray]:
    """Write each class's name on its points, at their densest place that no other name takes.

    With more than `NAMED` classes, names that find no free place are left out. Call it once the axes are complete.

    Returns:
        The boxes of the names, float (4,) each: left, bottom, right, top in pixels.
    """
    axes.figure.draw_without_rendering()  # settles the layout, on which pixels depend
    pixels = axes.transData.transform(xy)
    counts = np.bincount(labels[labels >= 0], minlength=1)
    largest = np.argsort(-counts, kind="stable")[: min(LISTED, np.count_nonzero(counts))]
    boxes: list[np.ndarray] = []
    for label in largest:
        text = _text(axes, shorten(class_names[label], 18), size=9, weight="bold")
        width, height = text.get_window_extent().size
        points = pixels[labels == label]
        spacing = np.sqrt(np.ptp(points, axis=0).prod() / len(points))  # few points: dense within wider squares
        spots = dense_spots(points, max(height, spacing))
        spots = (spots[:, None] + [[0, 0], [0, height], [0, -height]]).reshape(-1, 2)
        candidates = _inside(np.hstack([spots, spots]) + np.array([-width, -height, width, height]) / 2, axes)
        overlaps = _overlaps(candidates, boxes)
        best = overlaps.argmin()  # the first free one, or else the least covered
        if overlaps[best] > 0 and len(largest) > NAMED:
            text.remove()
            continue
        boxes.append(candidates[best])
        text.set_position(axes.transData.inverted().transform(boxes[-1].reshape(2, 2).mean(axis=0)))
    return boxes


def draw_row_names(axes: Axes, xy: np.ndarray, names: list[str], boxes: list[np.ndarray]) -> None:
    """Write names (n,) beside their points (n, 2), up to `ROW_NAMES` that keep clear of each other and of `boxes`."""
    pixels, boxes, most = axes.transData.transform(xy), list(boxes), len(boxes) + ROW_NAMES
    for row in np.random.default_rng(0).permutation(len(names))[: 10 * ROW_NAMES]:
        if is_numbered(names[row]) or len(boxes) == most:
            continue
        text = _text(axes, shorten(names[row]), size=7, color=INK)
        width, height = text.get_window_extent().size
        start = 0.6 * height  # clear of the dot
        box = np.tile(pixels[row], 2) + np.array([start, -height / 2, start + width, height / 2])
        if _overlaps(box[None], boxes)[0] > 0 or not np.allclose(_inside(box[None], axes)[0], box):
            text.remove()
            continue
        boxes.append(box)
        text.set_position(axes.transData.inverted().transform(box.reshape(2, 2).mean(axis=0)))


def is_numbered(name: str) -> bool:
    """Return whether a name is a mere number, as `row 12`, so that it tells nothing on a map."""
    return NUMBERED.fullmatch(name) is not None


def dense_spots(points: np.ndarray, cell: float) -> np.ndarray:
    """Return up to `SPOTS` places (k, 2) among points (n, 2), the densest first: means over squares of side `cell`."""
    cells, place, counts = np.unique(np.floor(points / cell), axis=0, return_inverse=True, return_counts=True)
    place = place.ravel()
    means = np.stack([np.bincount(place, axis) for axis in points.T], axis=1) / counts[:, None]
    grid = np.zeros(np.ptp(cells, axis=0).astype(int) + 1)
    where = tuple((cells - cells.min(axis=0)).astype(int).T)
    grid[where] = counts
    density = gaussian_filter(grid, 1.5, mode="constant")[where]
    return means[np.argsort(-density, kind="stable")[:SPOTS]]


def _text(axes: Axes, name: str, **look):
    halo = [withStroke(linewidth=3.2, foreground=PAPER, alpha=0.92)]
    look = {"color": INK, "ha": "center", "va": "center", "zorder": 5} | look
    text = axes.text(0, 0, name, path_effects=halo, **look)
    text.set_in_layout(False)
    return text


def _inside(boxes: np.ndarray, axes: Axes) -> np.ndarray:
    """Move boxes (k, 4) that reach out of the axes into them."""
    low, high = axes.bbox.min, axes.bbox.max
    move = np.maximum(low - boxes[:, :2], 0) + np.minimum(high - boxes[:, 2:], 0)
    return boxes + np.tile(move, 2)


def _overlaps(candidates: np.ndarray, boxes: list[np.ndarray]) -> np.ndarray:
    """Return how many square pixels of each candidate (k, 4) the boxes cover, float (k,)."""
    covered = np.zeros(len(candidates))
    for box in boxes:
        sides = np.minimum(candidates[:, 2:], box[2:]) - np.maximum(candidates[:, :2], box[:2])
        covered += sides.clip(0).prod(axis=1)
    return covered
