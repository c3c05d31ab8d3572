"""Score the latents against pixels and principal components, and the map against the latents."""

import numpy as np
import pandas as pd

from stages.latents.scores import fit_pca, flatten, knn_accuracy, knn_recall, pca_mse, trustworthiness
from stages.pipeline.artifacts import read_arrays, read_csv, write_csv, write_json
from stages.pipeline.errors import run
from stages.pipeline.params import MapScoresParams, load_params


def score_latents(rows: dict[str, np.ndarray], params: MapScoresParams) -> dict[str, float | None]:
    """What the autoencoder adds to its images: reconstruction error and k-NN accuracy, beside those of PCA and pixels.

    `rows` as in `LatentSet`; None where images, reconstructions or labels are unknown.
    """

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


def score_map(
    rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], params: MapScoresParams
) -> dict[str, int | float | None]:
    """How faithful the map is to the latents, and whether test images placed on it land among their kind."""
    positions, placed = tsne["positions"], tsne["placed"]
    latents, labels = rows["train_latents"][: len(positions)], rows["train_labels"][: len(positions)]
    return {
        "points": len(positions),
        "kl_divergence": float(tsne["kl_divergence"]),
        "trustworthiness": trustworthiness(latents, positions, params.trustworthiness_neighbours),
        "knn_recall": float(knn_recall(latents, positions, params.recall_neighbours).mean()),
        "placed_knn_accuracy": knn_accuracy(
            positions, labels, placed, rows["test_labels"], params.classifier_neighbours
        ),
        "placed_points": len(placed),
    }


def tabulate_map(rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray]) -> pd.DataFrame:
    """The map as a table for DVC's charts: index, x, y (and z), and class by name, empty where unknown."""
    positions = tsne["positions"]
    names = np.append(rows["class_names"], "")  # label -1 takes the last
    table = pd.DataFrame(positions, columns=list("xyz")[: positions.shape[1]])
    return table.assign(**{"class": names[rows["train_labels"][: len(positions)]], "index": np.arange(len(positions))})


def main() -> None:
    params = load_params("map_scores")
    rows, tsne = read_arrays("data/latents.npz"), read_arrays("data/map.npz")
    write_json("metrics/latents.json", score_latents(rows, params))
    write_json("metrics/map.json", score_map(rows, tsne, params))
    write_csv("plots/map_points.csv", tabulate_map(rows, tsne))
    write_csv("plots/autoencoder_loss.csv", read_csv("data/autoencoder_history.csv"))


if __name__ == "__main__":
    run(main)
