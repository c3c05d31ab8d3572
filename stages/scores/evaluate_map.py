"""Score the latents and the map, beside what pixels and principal components give without training."""

from functools import partial

import numpy as np
import pandas as pd

from stages.cluster.connection import on_cluster
from stages.cluster.map_on_ray import mapping
from stages.common.artifacts import read_arrays, write_csv, write_json
from stages.common.errors import run
from stages.common.pca import fit_pca, flatten, pca_mse
from stages.common.samples_table import classes_of, columns_of, is_train, labels_of, read_samples
from stages.common.settings import load_params
from stages.scores.find_groups import find_groups, score_groups, tabulate_groups, typicality
from stages.scores.find_outliers_and_suspects import (
    count_duplicates,
    error_smoothness,
    find_duplicates,
    find_outliers,
    find_suspect_labels,
    find_thin_spots,
    tabulate_review,
)
from stages.scores.map_faithfulness import (
    MOST_TEST,
    MOST_TRAIN,
    factor_agreement,
    knn_accuracy,
    knn_recall,
    trustworthiness,
)

CLASSIFIER_NEIGHBOURS = 5
TRUSTWORTHINESS_NEIGHBOURS = 12
RECALL_NEIGHBOURS = 15
MOST_PIXELS, PIXEL_COMPONENTS = 4096, 100  # larger images are compared by their principal components, in less memory
MOST_REVIEWED = 200_000  # rows, beyond which duplicates and outliers would take longer than the map


def score_latents(samples: pd.DataFrame, images: np.ndarray, rows: dict[str, np.ndarray]) -> dict[str, float | None]:
    """Score the latents: reconstruction error and k-NN accuracy, beside those of PCA and pixels.

    `rows` as in `data/latents.npz`. None where images, reconstructions or labels are unknown. Of more images than
    Fashion-MNIST has, the first count.
    """
    train = np.flatnonzero(is_train(samples))[:MOST_TRAIN]
    test = np.flatnonzero(~is_train(samples))[:MOST_TEST]
    labels, latents = labels_of(samples), rows["latents"]

    def accuracy(train_points: np.ndarray, test_points: np.ndarray) -> float | None:
        return rounded(knn_accuracy(train_points, labels[train], test_points, labels[test], CLASSIFIER_NEIGHBOURS), 4)

    scores = dict.fromkeys(["test_mse", "pca_test_mse", "knn_accuracy", "pca_knn_accuracy", "pixel_knn_accuracy"])
    scores["knn_accuracy"] = accuracy(latents[train], latents[test])
    if "errors" in rows and len(test):
        scores["test_mse"] = rounded(rows["errors"][test].mean(dtype=np.float64), 6)
    if len(images) and len(test):
        pca = fit_pca(images[train], latents.shape[1])
        scores["pca_test_mse"] = rounded(pca_mse(pca, images[test]), 6)
        scores["pca_knn_accuracy"] = accuracy(pca.transform(images[train]), pca.transform(images[test]))
        pixels = flatten
        if images[0].size > MOST_PIXELS:
            pixels = fit_pca(images[train], PIXEL_COMPONENTS).transform
        scores["pixel_knn_accuracy"] = accuracy(pixels(images[train]), pixels(images[test]))
    return scores


def score_map(samples: pd.DataFrame, rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray]) -> dict:
    """Score how faithful the map is to the latents, and whether placed test rows land among their class."""
    mapped, positions, labels = tsne["mapped"], tsne["positions"], labels_of(samples)
    latents = rows["latents"][mapped]
    placed = ~is_train(samples)[tsne["placed_rows"]]  # training rows beyond tsne.points are placed too
    accuracy = knn_accuracy(
        positions, labels[mapped], tsne["placed"][placed], labels[tsne["placed_rows"][placed]], CLASSIFIER_NEIGHBOURS
    )
    return {
        "points": len(positions),
        "kl_divergence": rounded(tsne["kl_divergence"], 4),
        "trustworthiness": rounded(trustworthiness(latents, positions, TRUSTWORTHINESS_NEIGHBOURS), 4),
        "knn_recall": rounded(knn_recall(latents, positions, RECALL_NEIGHBOURS).mean(), 4),
        "placed_knn_accuracy": rounded(accuracy, 4),
        "placed_points": int(placed.sum()),
    }


def score_maps(
    samples: pd.DataFrame, rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], baseline: dict[str, np.ndarray]
) -> dict[str, dict]:
    """Return the scores of the map of the latents and, where there are images, of that of their components."""
    maps = {"latents": score_map(samples, rows, tsne)}
    if len(baseline["positions"]):
        maps["principal components"] = score_map(samples, baseline, baseline_map(baseline))
    return maps


def baseline_map(baseline: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return `data/baseline_map.npz` with the rows it maps and places, as `data/map.npz` has them."""
    mapped, placed_rows = np.split(np.arange(len(baseline["latents"])), [len(baseline["positions"])])
    return {"mapped": mapped, "placed_rows": placed_rows, **baseline}


def tabulate_factors(
    samples: pd.DataFrame, rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], baseline: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Return how well neighbours of one class agree in each numeric column: among latents and on both maps."""
    factors, labels = columns_of(samples).select_dtypes("number"), labels_of(samples)
    mapped = tsne["mapped"]

    def agreement(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return factor_agreement(points, labels[rows], factors.to_numpy(np.float32)[rows], CLASSIFIER_NEIGHBOURS)

    table = {"factor": factors.columns}
    table |= {"latent": agreement(rows["latents"][mapped], mapped), "map": agreement(tsne["positions"], mapped)}
    if len(baseline["positions"]):
        table["pca_map"] = agreement(baseline["positions"], np.arange(len(baseline["positions"])))
    return pd.DataFrame(table).round(4)


def review_samples(samples: pd.DataFrame, images: np.ndarray, rows: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return duplicates, leaks, outliers and suspect labels among the first `MOST_REVIEWED` rows, worst first."""
    count = slice(MOST_REVIEWED)
    train, labels, latents = is_train(samples)[count], labels_of(samples)[count], rows["latents"][count]
    pictures = images[count] if len(images) else None
    findings = [
        find_duplicates(latents if pictures is None else pictures, train),
        find_outliers(latents, {name: rows[name][count] for name in ("errors", "smoothness") if name in rows}),
        find_suspect_labels(latents, labels, classes_of(samples)),
    ]
    return pd.concat(findings, ignore_index=True)


def tabulate_map(samples: pd.DataFrame, tsne: dict[str, np.ndarray], groups: np.ndarray, ranks: np.ndarray):
    """Return the rows on the map as a table: file_name, split, label, x, y (and z), group and group_rank.

    `group` is -1 for rows in no group; `group_rank` counts from the group's most typical row, 1.
    """
    positions = tsne["positions"]
    table = samples.iloc[tsne["mapped"]][["file_name", "split", "label"]].reset_index(drop=True)
    axes = dict(zip("xyz", positions.T, strict=False))
    return table.assign(**axes, group=groups, group_rank=ranks)


def rounded(value: float | None, digits: int) -> float | None:
    """Round a score to the digits that mean something; None stays None."""
    return None if value is None else round(float(value), digits)


def evaluate(part: str, samples: pd.DataFrame, images: np.ndarray, rows: dict, tsne: dict, baseline: dict):
    """Return one part of the scores; the parts are independent, so they can run anywhere."""
    match part:
        case "latents":
            return score_latents(samples, images, rows)
        case "maps":
            return score_maps(samples, rows, tsne, baseline)
        case "factors":
            return tabulate_factors(samples, rows, tsne, baseline)
        case "review":
            return review_samples(samples, images, rows)


def main() -> None:
    samples, images = read_samples(), read_arrays("data/images.npz")["images"]
    rows = read_arrays("data/latents.npz")
    if "reconstructions" in rows:
        rows["smoothness"] = error_smoothness(images[:MOST_REVIEWED], rows.pop("reconstructions"))
    tsne, baseline = read_arrays("data/map.npz"), read_arrays("data/baseline_map.npz")
    inputs = {"samples": samples, "images": images, "rows": rows, "tsne": tsne, "baseline": baseline}
    parts = ("latents", "maps", "factors", "review")
    latents, maps, factors, review = mapping()(partial(evaluate, **inputs), parts)

    on_map, labels = samples.iloc[tsne["mapped"]], labels_of(samples)
    groups = find_groups(tsne["positions"], labels[tsne["mapped"]], load_params("groups").smallest)
    ranks = typicality(rows["latents"][tsne["mapped"]], groups)
    thin = find_thin_spots(groups, tsne["mapped"], labels, is_train(samples), classes_of(samples))
    review = pd.concat([review, thin], ignore_index=True)

    scores = score_groups(groups, labels[tsne["mapped"]]) | count_duplicates(review)
    write_json("metrics/latents.json", latents)
    write_json("metrics/map.json", maps["latents"] | scores)
    write_csv("plots/groups.csv", tabulate_groups(groups, ranks, tsne["positions"], on_map, labels[tsne["mapped"]]))
    write_csv("plots/review.csv", tabulate_review(review, samples))
    write_csv("plots/map_comparison.csv", pd.DataFrame([{"map of": name, **scores} for name, scores in maps.items()]))
    write_csv("plots/factor_agreement.csv", factors)
    write_csv("plots/map_points.csv", tabulate_map(samples, tsne, groups, ranks))


if __name__ == "__main__":
    run(on_cluster(main))
