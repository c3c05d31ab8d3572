"""Groups on the map: the clusters of its positions, and what each holds.

HDBSCAN (Campello, Moulavi & Sander 2013) on the positions, not on the latents: in many dimensions it leaves most rows
ungrouped (on drawn garments 6 of 10 at the same purity, against 1.5 of 10 on the map). Its smallest clusters
("leaves") are taken, so that a class falls into its sub-classes.
"""

import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_mutual_info_score

from stages.common.samples_table import columns_of
from stages.tsne.neighbours import nearest

DENSE = 5  # rows within whose distance a place counts as dense; scikit-learn's `min_samples`
MOST_CLUSTERED = 20_000  # positions
FEWEST = 15  # rows of a group, however small the map: with fewer, round clusters fall apart
LARGE_EFFECT = 0.14  # of an effect size, from which a difference is large
TOLD = 2  # columns that tell groups apart, at most


def find_groups(positions: np.ndarray, labels: np.ndarray, smallest: float) -> np.ndarray:
    """Return the group (n,) int64 of each position (n, 2 or 3), -1 for rows in none.

    Of more than `MOST_CLUSTERED` positions, evenly spaced ones are clustered; each other one joins the nearest of them.
    `smallest` is the fraction of the rows that a group has at least. Groups are numbered from 0, those of one main
    class beside each other, large ones first. `labels` (n,) are class indices, -1 if unknown.
    """
    sparse = positions[:: -(-len(positions) // MOST_CLUSTERED)]  # HDBSCAN's time grows with the square of their number
    fewest = max(round(smallest * len(sparse)), FEWEST)
    if len(sparse) < 2 * fewest:
        return np.full(len(positions), -1)
    clusters = HDBSCAN(min_cluster_size=fewest, min_samples=DENSE, cluster_selection_method="leaf", copy=True)
    found = clusters.fit_predict(sparse)
    if len(sparse) < len(positions):
        found = found[nearest(sparse, positions, 1)[1][:, 0]]
    sizes = np.bincount(found[found >= 0])
    classes = [main_class(labels[found == group])[0] for group in range(len(sizes))]
    order = np.lexsort((-sizes, classes))
    number = np.append(np.argsort(order), -1)  # -1 stays -1
    return number[found].astype(np.int64)


def main_class(labels: np.ndarray) -> tuple[int, float | None]:
    """Return the most frequent known class among `labels` (m,) and its share of the known ones; (-1, None) if none."""
    known = labels[labels >= 0]
    if not len(known):
        return -1, None
    counts = np.bincount(known)
    return int(counts.argmax()), float(counts.max() / len(known))


def typicality(latents: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the rank (n,) int64 of each row in its group, 1 for the medoid, 0 for rows in no group.

    Rows are ranked by their distance from the mean of the group's latents (n, d); the first is the group's medoid in
    squared Euclidean distance.
    """
    ranks = np.zeros(len(groups), dtype=np.int64)
    for group in range(groups.max(initial=-1) + 1):
        rows = np.flatnonzero(groups == group)
        distances = np.linalg.norm(latents[rows] - latents[rows].mean(axis=0, dtype=np.float64), axis=1)
        ranks[rows[np.argsort(distances, kind="stable")]] = np.arange(1, len(rows) + 1)
    return ranks


def effect_size(column: pd.Series, groups: np.ndarray) -> float:
    """Return how much of a column (n,) the groups (n,) explain: 0 by chance, 1 if all of it.

    For numbers it is eta squared, the share of the variance between the groups, corrected for chance (Kelley 1935). For
    categories it is the square of Cramér's V, corrected too (Bergsma 2013). Rows whose value is missing count as
    unexplained.
    """
    known = column.notna().to_numpy()
    column, groups = column[known], groups[known]
    n, k = len(column), len(np.unique(groups))
    if k < 2 or n <= k or column.nunique() < 2:
        return 0.0
    if pd.api.types.is_numeric_dtype(column):
        column = column.astype(float)
        within = column - column.groupby(groups).transform("mean")
        return max(0.0, 1 - float(within.var(ddof=0) / column.var(ddof=0)) * (n - 1) / (n - k)) * known.mean()
    counts = pd.crosstab(groups, column.astype("str")).to_numpy()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    freedom = np.array(counts.shape) - 1
    excess = (np.square(counts - expected) / expected).sum() / n - freedom.prod() / (n - 1)
    return max(0.0, float(excess / min(freedom - np.square(freedom) / (n - 1)))) * known.mean()


def tell_apart(columns: pd.DataFrame, groups: np.ndarray) -> tuple[dict[int, str], float | None]:
    """Return what tells the groups (n,) apart: for each its values in one or two columns, and the larger effect size.

    A value is the mean of numbers, or the most frequent category with its share. Only columns with a large effect
    (Cohen 1988) are named; without any, nothing is told.
    """
    effects = {name: effect_size(column, groups) for name, column in columns.items()}
    best = [name for name in sorted(effects, key=effects.get, reverse=True) if effects[name] >= LARGE_EFFECT][:TOLD]
    told = {}
    for group in np.unique(groups) if best else ():
        values = []
        for name in best:
            known = columns[name][groups == group].dropna()
            if len(known) and pd.api.types.is_numeric_dtype(known):
                values.append(f"{name} {known.mean():.3g}")
            elif len(known):
                shares = known.value_counts(normalize=True)
                values.append(f"{name} {shares.index[0]} ({shares.iloc[0]:.0%})")
        told[int(group)] = "; ".join(values)
    return told, round(effects[best[0]], 3) if best else None


def tabulate_groups(
    groups: np.ndarray, ranks: np.ndarray, positions: np.ndarray, samples: pd.DataFrame, labels: np.ndarray
) -> pd.DataFrame:
    """Return a row for each group: group, rows, label (main class), purity, medoid (file_name), x, y[, z], extent, …

    `samples` and the arrays hold the rows on the map. `extent` is the distance from the medoid within which nine of
    ten rows of the group lie, in units of the map. `told_by` are its values in the columns of the samples that best
    tell the groups of its main class apart, and `effect` is how well they do: see `tell_apart`.
    """
    classes = np.append(samples["label"].cat.categories.astype(str), "")
    columns = columns_of(samples).select_dtypes(["number", "bool", "category"])
    of_groups = [main_class(labels[groups == group])[0] for group in range(groups.max(initial=-1) + 1)]
    told, effects = {}, {}
    for main in set(of_groups):
        rows = np.isin(groups, np.flatnonzero(np.array(of_groups) == main)) & ((labels == main) | (main < 0))
        values, effects[main] = tell_apart(columns[rows], groups[rows])
        told |= values
    axes = list("xyz")[: positions.shape[1]]
    table = []
    for group in range(groups.max(initial=-1) + 1):
        rows = np.flatnonzero(groups == group)
        medoid = rows[ranks[rows] == 1][0]
        label, purity = main_class(labels[rows])
        reach = np.linalg.norm(positions[rows] - positions[medoid], axis=1)
        table.append(
            {
                "group": group,
                "rows": len(rows),
                "label": classes[label],
                "purity": None if purity is None else round(purity, 4),
                "medoid": samples["file_name"].iloc[medoid],
                **dict(zip(axes, positions[medoid].astype(np.float64).round(3).tolist(), strict=True)),
                "extent": round(float(np.quantile(reach, 0.9)), 3),
                "told_by": told.get(group, ""),
                "effect": effects[label],
            }
        )
    names = ["group", "rows", "label", "purity", "medoid", *axes, "extent", "told_by", "effect"]
    return pd.DataFrame(table, columns=names)


def score_groups(groups: np.ndarray, labels: np.ndarray) -> dict[str, int | float | None]:
    """Return the number of groups, their purity, and how well groups and classes agree beyond chance.

    `group_purity` is the share of grouped rows that are of their group's main class. `group_class_agreement` is the
    adjusted mutual information of groups and classes (Vinh, Epps & Bailey 2010): 0 by chance, 1 if equal. Both are
    None without at least two known classes.
    """
    known = (groups >= 0) & (labels >= 0)
    scores = {"groups": int(groups.max(initial=-1) + 1), "group_purity": None, "group_class_agreement": None}
    if len(np.unique(labels[known])) > 1:
        same = [(labels[known & (groups == group)] == main_class(labels[groups == group])[0]).sum()
                for group in range(scores["groups"])]  # fmt: skip
        scores["group_purity"] = round(float(sum(same) / known.sum()), 4)
        scores["group_class_agreement"] = round(float(adjusted_mutual_info_score(labels[known], groups[known])), 4)
    return scores
