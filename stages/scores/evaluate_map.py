"""Score the latents and their map, and beside them what pixels and principal components give without training."""

from functools import partial

import numpy as np
import pandas as pd

from stages.cluster.connection import on_cluster
from stages.cluster.tasks import mapping
from stages.common.artifacts import read_arrays, read_csv, write_csv, write_json
from stages.common.errors import run
from stages.common.settings import MapScoresParams, load_params
from stages.scores.map import (
    MOST_TEST,
    MOST_TRAIN,
    factor_agreement,
    fit_pca,
    flatten,
    knn_accuracy,
    knn_recall,
    pca_mse,
    trustworthiness,
)
from stages.tsne.landmarks import landmarks_of


def score_latents(rows: dict[str, np.ndarray], params: MapScoresParams) -> dict[str, float | None]:
    """What the autoencoder adds to its images: reconstruction error and k-NN accuracy, beside those of PCA and pixels.

    `rows` as in `LatentSet`; None where images, reconstructions or labels are unknown. Of more images than
    Fashion-MNIST has, the first count.
    """
    most = {"train": MOST_TRAIN, "test": MOST_TEST}
    rows = {name: values[: most.get(name.split("_")[0])] for name, values in rows.items()}

    def accuracy(train: np.ndarray, test: np.ndarray) -> float | None:
        return knn_accuracy(train, rows["train_labels"], test, rows["test_labels"], params.classifier_neighbours)

    scores = dict.fromkeys(["test_mse", "pca_test_mse", "knn_accuracy", "pca_knn_accuracy", "pixel_knn_accuracy"])
    scores["knn_accuracy"] = accuracy(rows["train_latents"], rows["test_latents"])
    if len(rows["test_errors"]):
        scores["test_mse"] = float(rows["test_errors"].mean(dtype=np.float64))
    if len(rows["train_images"]):
        train, test = flatten(rows["train_images"]), flatten(rows["test_images"])
        pca = fit_pca(rows["train_images"], rows["train_latents"].shape[1])
        scores["pca_test_mse"] = pca_mse(pca, rows["test_images"])
        scores["pca_knn_accuracy"] = accuracy(pca.transform(train), pca.transform(test))
        scores["pixel_knn_accuracy"] = accuracy(train, test)
    return scores


def score_map(rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], params: MapScoresParams) -> dict:
    """How faithful the map is to the latents, and whether test images placed on it land among their kind."""
    positions, placed = tsne["positions"], tsne["placed"]
    latents = rows["train_latents"][: len(positions)]
    return {
        "points": len(positions),
        "kl_divergence": float(tsne["kl_divergence"]),
        "trustworthiness": trustworthiness(latents, positions, params.trustworthiness_neighbours),
        "knn_recall": float(knn_recall(latents, positions, params.recall_neighbours).mean()),
        "placed_knn_accuracy": placed_accuracy(rows, positions, placed, params),
        "placed_points": len(placed),
    }


def score_baselines(rows: dict[str, np.ndarray], maps: dict[str, np.ndarray], params: MapScoresParams) -> dict:
    """The same of a map of principal components and of one of pixels, each judged by its own space.

    None where the latents came from a file: their images are others than those of these maps.
    """
    keys = [f"{space}_{score}" for space in ("pca", "pixel") for score in ("trustworthiness", "placed_knn_accuracy")]
    scores = dict.fromkeys(keys)
    if len(rows["train_errors"]):
        n = len(maps["pca_positions"])
        for space, latents in (("pca", maps["pca_latents"]), ("pixel", flatten(rows["train_images"][:n]))):
            positions, placed = maps[f"{space}_positions"], maps[f"{space}_placed"]
            faithful = trustworthiness(latents, positions, params.trustworthiness_neighbours)
            scores[f"{space}_trustworthiness"] = faithful
            scores[f"{space}_placed_knn_accuracy"] = placed_accuracy(rows, positions, placed, params)
    return scores


def placed_accuracy(
    rows: dict[str, np.ndarray], positions: np.ndarray, placed: np.ndarray, params: MapScoresParams
) -> float | None:
    """Share of the placed test images whose neighbours on a map of the first training images are of their class."""
    labels = rows["train_labels"][: len(positions)]
    return knn_accuracy(positions, labels, placed, rows["test_labels"], params.classifier_neighbours)


def compare_factors(
    rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], maps: dict[str, np.ndarray], params: MapScoresParams
) -> pd.DataFrame:
    """How well neighbours of one class agree in each factor of the drawing: in latent space and on the three maps.

    One row for each factor; none where the project did not draw the images.
    """

    def agreement(points: np.ndarray, rows: dict[str, np.ndarray]) -> np.ndarray:
        known = (rows[f"train_{name}"][: len(points)] for name in ("labels", "factors"))
        return factor_agreement(points, *known, params.classifier_neighbours)

    mapped = landmarks_of(rows, tsne["landmarks"])
    table = {"factor": rows["factor_names"]}
    table |= {"latent": agreement(mapped["train_latents"], mapped), "map": agreement(tsne["positions"], mapped)}
    if len(rows["factor_names"]):
        table |= {f"{space}_map": agreement(maps[f"{space}_positions"], rows) for space in ("pca", "pixel")}
    return pd.DataFrame(table)


def score_factors(table: pd.DataFrame) -> dict[str, dict[str, float | None] | None]:
    """Each factor's agreement on the map, and the mean over factors for each space; None without factors."""
    if table.empty:
        return {"factor_agreement": None, "mean_factor_agreement": None}
    on_map = {
        factor: float(value) if np.isfinite(value) else None
        for factor, value in zip(table["factor"], table["map"], strict=True)
    }
    return {"factor_agreement": on_map, "mean_factor_agreement": table.drop(columns="factor").mean().to_dict()}


def tabulate_map(rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray]) -> pd.DataFrame:
    """The map as a table for DVC's charts: index, x, y (and z), and class by name, empty where unknown."""
    positions = tsne["positions"]
    names = np.append(rows["class_names"], "")  # label -1 takes the last
    table = pd.DataFrame(positions, columns=list("xyz")[: positions.shape[1]])
    labels = rows["train_labels"][tsne["landmarks"]]
    return table.assign(**{"class": names[labels], "index": tsne["landmarks"]})


def evaluate(
    rows: dict[str, np.ndarray],
    tsne: dict[str, np.ndarray],
    maps: dict[str, np.ndarray],
    params: MapScoresParams,
    part: str,
) -> dict | pd.DataFrame:
    """One part of the scores; none needs another, so they can be taken anywhere."""
    if part == "latents":
        return score_latents(rows, params)
    if part == "map":
        return score_map(landmarks_of(rows, tsne["landmarks"]), tsne, params)
    if part == "baselines":
        return score_baselines(rows, maps, params)
    return compare_factors(rows, tsne, maps, params)


def main() -> None:
    params = load_params("map_scores")
    rows, tsne = read_arrays("data/latents.npz"), read_arrays("data/map.npz")
    rows = {name: values for name, values in rows.items() if not name.endswith("reconstructions")}  # not sent around
    maps = read_arrays("data/baseline_maps.npz")
    parts = ("latents", "map", "baselines", "factors")
    of_latents, of_map, of_baselines, factors = mapping()(partial(evaluate, rows, tsne, maps, params), parts)
    write_json("metrics/latents.json", of_latents)
    write_csv("plots/factor_agreement.csv", factors)
    write_json("metrics/map.json", of_map | of_baselines | score_factors(factors))
    write_csv("plots/map_points.csv", tabulate_map(rows, tsne))
    write_csv("plots/autoencoder_loss.csv", read_csv("data/autoencoder_history.csv"))


if __name__ == "__main__":
    run(on_cluster(main))
