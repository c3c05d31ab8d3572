"""Groups on the map: the clusters of its positions, and what each holds.

HDBSCAN (Campello, Moulavi & Sander 2013) on the positions, not on the latents: in many dimensions it leaves most rows
ungrouped (on drawn garments 6 of 10 at the same purity, against 1.5 of 10 on the map). Its smallest clusters
("leaves") are taken, so that a class falls into its sub-classes.
"""

import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_mutual_info_score

DENSE = 5  # rows within whose distance a place counts as dense; scikit-learn's `min_samples`
FEWEST = 15  # rows of a group, however small the map: with fewer, round clusters fall apart


def find_groups(positions: np.ndarray, labels: np.ndarray, smallest: float) -> np.ndarray:
    """Return the group (n,) int64 of each position (n, 2 or 3), -1 for rows in none.

    `smallest` is the fraction of the rows that a group has at least. Groups are numbered from 0, those of one main
    class beside each other, large ones first. `labels` (n,) are class indices, -1 if unknown.
    """
    fewest = max(round(smallest * len(positions)), FEWEST)
    if len(positions) < 2 * fewest:
        return np.full(len(positions), -1)
    clusters = HDBSCAN(min_cluster_size=fewest, min_samples=DENSE, cluster_selection_method="leaf", copy=True)
    found = clusters.fit_predict(positions)
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


def tabulate_groups(
    groups: np.ndarray, ranks: np.ndarray, positions: np.ndarray, samples: pd.DataFrame, labels: np.ndarray
) -> pd.DataFrame:
    """Return a row for each group: group, rows, label (main class), purity, medoid (file_name), x, y[, z] and extent.

    `samples` and the arrays hold the rows on the map. `extent` is the distance from the medoid within which nine of
    ten rows of the group lie, in units of the map.
    """
    classes = np.append(samples["label"].cat.categories.astype(str), "")
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
            }
        )
    return pd.DataFrame(table, columns=["group", "rows", "label", "purity", "medoid", *axes, "extent"])


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
