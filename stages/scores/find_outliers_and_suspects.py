"""What is worth a look in one's own data: duplicates, outliers, suspect labels and thin spots.

Each function returns findings: rows of a table with `kind`, `row` (of the samples), `why`, `score` (higher is worse),
`other_row` (-1 if none) and `suggestion` (a class, empty if none), the worst first.
"""

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.special import log_softmax
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold

from stages.scores.find_duplicates import exact_copies, near_copies
from stages.tsne.neighbours import nearest_others

FINDING = ["kind", "row", "why", "score", "other_row", "suggestion"]
SAME = "exact copy"
KINDS = ("duplicate", "leak", "outlier", "label", "thin")
NEIGHBOURS = 10  # whose distance tells an outlier
OUTLIER_PERCENTILE, ERROR_PERCENTILE = 99, 99.9  # of distances and errors: beyond it a row is an outlier
BLOCK = 1024  # images compared with their reconstructions at once
FOLDS = 5
COMPONENTS = 32  # of the latents, from which classes are told apart
REGULARISATION = 0.1  # of each class's covariance, towards a sphere
UNLIKELY = 0.01  # a label is suspect if it is so much less likely than the suggested class
THIN_CLASS = 20  # training rows, below which a class is too small to learn from


def find_duplicates(images: np.ndarray, train: np.ndarray) -> pd.DataFrame:
    """Return exact and near copies in sets: each row of a set but its first, as a duplicate or a leak.

    A set holds all rows that pairs of copies connect. Beside each row stands another of its set: together they are the
    set's spanning tree of closest copies, those with a training row first. A test row beside a training row, or the
    reverse, is a leak: the test score then measures memory. The score is 1 for exact copies, else the similarity of
    `near_copies`. `set` numbers the sets from 1, large ones first, then those of close copies.

    `images` are uint8 (n, h, w[, 3]), or vectors (n, d) without images, of which only exact copies are found; `train`
    is bool (n,), training rows first.
    """
    n = len(images)
    first = exact_copies(images)
    distinct, copies = np.flatnonzero(first == np.arange(n)), np.flatnonzero(first != np.arange(n))
    near, similarity = near_copies(images[distinct]) if images.ndim > 2 else (np.zeros((0, 2), np.int64), np.zeros(0))
    row, other = np.concatenate([np.column_stack([first[copies], copies]), distinct[near]]).T
    score = np.append(np.ones(len(copies)), similarity)
    same = dict(
        zip(zip(row, other, strict=True), zip(score, np.arange(len(row)) < len(copies), strict=True), strict=True)
    )

    _, sets = connected_components(coo_array((score, (row, other)), shape=(n, n)), directed=False)
    starts, sizes, closest = np.unique(sets, return_index=True)[1], np.bincount(sets), np.zeros(sets.max() + 1)
    np.maximum.at(closest, sets[row], score)
    number = np.empty(len(sizes), np.int64)
    number[np.lexsort((starts, -closest, -sizes))] = np.arange(1, len(sizes) + 1)

    weights = np.append(-score - (train[row] | train[other]), -np.ones(len(starts)))  # row n stands above all sets
    edges = np.append(row, np.full(len(starts), n)), np.append(other, starts)
    tree = minimum_spanning_tree(coo_array((weights, edges), shape=(n + 1, n + 1)).tocsr())
    beside = breadth_first_order(tree, n, directed=False)[1][:n]
    findings = []
    for one in np.flatnonzero(beside < n):
        two = beside[one]
        closeness, exact = same[min(one, two), max(one, two)]
        kind, why = "leak" if train[one] != train[two] else "duplicate", SAME if exact else "near copy"
        findings.append((kind, one, why, closeness, two, ""))
    table = _table(findings)
    table["set"] = number[sets[table["row"].to_numpy(np.int64)]]
    return table.sort_values("set", kind="stable", ignore_index=True)


def count_duplicates(findings: pd.DataFrame) -> dict[str, int]:
    """Return the number of `exact_duplicates` (also across the splits) and of `leaks` (exact and near)."""
    return {
        "exact_duplicates": int((findings["why"] == SAME).sum()),
        "leaks": int((findings["kind"] == "leak").sum()),
    }


def find_outliers(latents: np.ndarray, rebuilt: dict[str, np.ndarray] | None = None) -> pd.DataFrame:
    """Return rows far from all others, far from their neighbours, or badly rebuilt, compared with the rest.

    Distances are taken among the latents (n, d) in units of their principal deviations: from the mean (Mahalanobis
    1936), and on average from the `NEIGHBOURS` nearest others (Ramaswamy et al. 2000). `rebuilt` holds measures (n,) of
    the reconstructions: `errors`, mean squared, and `smoothness`, see `error_smoothness`. The score is the largest of
    the measures, each on a log scale where the median of all rows is 0 and a high percentile is 1; a row is an outlier
    above 1. Errors count less: a rare pattern is badly rebuilt as well.
    """
    whitened = PCA(min(COMPONENTS, *latents.shape), whiten=True, random_state=0).fit_transform(latents)
    neighbours = nearest_others(whitened.astype(np.float32), min(NEIGHBOURS, len(latents) - 1))
    measures = {
        "far from all others": np.square(whitened).sum(axis=1),
        "far from its neighbours": np.linalg.norm(whitened[neighbours] - whitened[:, None], axis=2).mean(axis=1),
    }
    if rebuilt:
        measures |= {"badly rebuilt": rebuilt["errors"], "rebuilt as something else": rebuilt["smoothness"]}
    scores = np.stack([log_scale(v, ERROR_PERCENTILE if why == "badly rebuilt" else OUTLIER_PERCENTILE)
                       for why, v in measures.items()])  # fmt: skip
    score, reasons = scores.max(axis=0), np.array(list(measures))[scores.argmax(axis=0)]
    rows = np.flatnonzero((score > 1) & np.ptp(latents, axis=0).any())  # of equal rows none is
    return _table([("outlier", row, reasons[row], score[row], neighbours[row, 0], "") for row in rows])


def log_scale(values: np.ndarray, percentile: float) -> np.ndarray:
    """Return values (n,) on a log scale where their median is 0 and their `percentile` 1."""
    logs = np.log(np.maximum(values, 1e-12))
    median, high = np.percentile(logs, [50, percentile])
    return (logs - median) / max(high - median, 1e-12)


def error_smoothness(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Return the inverse von Neumann ratio (n,) of what is left of images uint8 (n, h, w[, 3]) once rebuilt.

    It is the sum of squared errors over that of the squared differences between errors of adjacent pixels (von Neumann
    1941, Durbin & Watson 1950): small where only grain and edges are missing, large where whole parts are. So it tells
    what is foreign to the autoencoder, however large its error. One grey level of noise on each difference is added:
    errors of less show nothing.
    """
    smoothness = np.empty(len(images))
    for start in range(0, len(images), BLOCK):
        block = slice(start, start + BLOCK)
        errors = images[block].astype(np.float32) - reconstructions[block]
        axes = tuple(range(1, errors.ndim))
        steps = sum(np.square(np.diff(errors, axis=axis)).sum(axis=axes) for axis in (1, 2))
        smoothness[block] = np.square(errors).sum(axis=axes) / (steps + 2 * errors[0].size)
    return smoothness


def find_suspect_labels(latents: np.ndarray, labels: np.ndarray, classes: list[str], seed: int = 0) -> pd.DataFrame:
    """Return rows whose label is far less likely than another class, with that class as the suggestion.

    Confident learning (Northcutt, Jiang & Chuang 2021, arXiv:1911.00068): class probabilities are out of sample, from a
    model that has not seen the row, here Gaussians fitted to the latents (n, d) of each class in five folds. Rows are
    ranked by self-confidence, the probability of their own label. `labels` (n,) are class indices, -1 if unknown;
    classes with fewer than two rows in each fold are left out. The score is -log10 of the probability.
    """
    counts = np.bincount(labels[labels >= 0], minlength=len(classes) + 1)
    rows = np.flatnonzero((labels >= 0) & (counts[labels] >= 2 * FOLDS))
    present = np.unique(labels[rows])
    if len(present) < 2:
        return _table([])
    points = PCA(min(COMPONENTS, *latents[rows].shape), random_state=seed).fit_transform(latents[rows])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model_log = np.empty((len(rows), len(present)))
    for learned, held_out in folds.split(points, labels[rows]):
        model_log[held_out] = class_log_probabilities(points[learned], labels[rows][learned], points[held_out])
    own = model_log[np.arange(len(rows)), np.searchsorted(present, labels[rows])]
    best = model_log.max(axis=1)
    suspect = np.flatnonzero(own < best + np.log(UNLIKELY))
    scores = -own[suspect] / np.log(10)
    names = [classes[label] for label in present[model_log[suspect].argmax(axis=1)]]
    found = zip(rows[suspect], scores, names, strict=True)
    return _table([("label", row, "another class is likelier", score, -1, name) for row, score, name in found])


def class_log_probabilities(points: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the log probability of each class, in order, for `others` (m, d): float (m, classes).

    Each class is a Gaussian fitted to its `points` (n, d), as in quadratic discriminant analysis. Its covariance is
    regularised, so that classes with fewer rows than dimensions have one too.
    """
    logs = []
    for label in np.unique(labels):
        own = points[labels == label]
        covariance = (1 - REGULARISATION) * np.cov(own.T, bias=True) + REGULARISATION * np.eye(points.shape[1])
        root = np.linalg.cholesky(covariance)
        distances = np.square(solve_triangular(root, (others - own.mean(axis=0)).T, lower=True)).sum(axis=0)
        logs.append(np.log(len(own)) - distances / 2 - np.log(root.diagonal()).sum())
    return log_softmax(np.stack(logs, axis=1), axis=1)


def find_thin_spots(
    groups: np.ndarray, mapped: np.ndarray, labels: np.ndarray, train: np.ndarray, classes: list[str]
) -> pd.DataFrame:
    """Return classes with too few training rows to learn from, and classes that are the main class of no group.

    `groups` (p,) are those of the rows `mapped` (p,); `labels` and `train` (n,) are of all rows. Each finding names
    the first row of its class.
    """
    findings, grouped = [], groups >= 0
    main = {np.bincount(labels[mapped][groups == group][labels[mapped][groups == group] >= 0], minlength=1).argmax()
            for group in np.unique(groups[grouped])}  # fmt: skip
    for label, name in enumerate(classes):
        rows = np.flatnonzero(labels == label)
        if not len(rows):
            continue
        learned = int(train[rows].sum())
        if learned < THIN_CLASS:
            findings.append(("thin", rows[0], f"class {name} has {learned} training rows", 1 / (1 + learned), -1, ""))
        elif grouped.any() and label not in main:
            findings.append(("thin", rows[0], f"class {name} forms no group on the map", 1 / learned, -1, ""))
    return _table(findings)


def _table(findings: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(findings, columns=FINDING)
    return table.sort_values(["score", "row"], ascending=[False, True], kind="stable").reset_index(drop=True)


def tabulate_review(findings: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with names instead of row numbers: kind, file_name, split, label, why, score, other, …"""
    names = samples["file_name"].to_numpy()
    rows, other = findings["row"].to_numpy(dtype=np.int64), findings["other_row"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "kind": findings["kind"],
            "file_name": names[rows],
            "split": samples["split"].to_numpy()[rows],
            "label": samples["label"].astype("str").fillna("").to_numpy()[rows],
            "why": findings["why"],
            "score": findings["score"].astype(float).round(4),
            "other_file_name": np.where(other >= 0, names[other], ""),
            "suggestion": findings["suggestion"],
            "set": findings["set"].astype("Int64"),
        }
    )
