"""Make the interactive map, one file that needs no network."""

import numpy as np

from stages.figures.map_page import Points, map_page
from stages.latents.neighbours import nearest, nearest_others
from stages.latents.scores import knn_recall
from stages.pipeline.artifacts import read_arrays, read_json, write_text
from stages.pipeline.errors import run
from stages.pipeline.params import MapPageParams, load_params


def points_of(rows: dict[str, np.ndarray], split: str, positions: np.ndarray, **known: np.ndarray) -> Points:
    """The first rows of one split as points of the page; what the rows lack is left out."""
    columns = {name: rows[f"{split}_{name}"][: len(positions)] for name in ("images", "reconstructions", "errors")}
    columns = {name: column for name, column in columns.items() if len(column)}
    return Points(positions, rows[f"{split}_labels"][: len(positions)], **columns, **known)


def render(rows: dict[str, np.ndarray], tsne: dict[str, np.ndarray], metrics: dict, params: MapPageParams) -> str:
    """The page of the map, with the test images as a layer of their own."""
    positions, placed, k = tsne["positions"], tsne["placed"], params.neighbours
    latents = rows["train_latents"][: len(positions)]
    points = points_of(
        rows,
        "train",
        positions,
        neighbours=nearest_others(latents, k).astype(np.int32),
        kept=knn_recall(latents, positions, k),
    )
    _, neighbours = nearest(latents, rows["test_latents"], k)
    new = points_of(rows, "test", placed, neighbours=neighbours.astype(np.int32))
    return map_page(
        points,
        rows["class_names"],
        title=params.title,
        new=new,
        new_name="Test images, placed afterwards",
        metrics=metrics,
    )


def main() -> None:
    params = load_params("map_page")
    metrics = {name: read_json(f"metrics/{name}.json") for name in ("map", "latents")}
    write_text("plots/map.html", render(read_arrays("data/latents.npz"), read_arrays("data/map.npz"), metrics, params))


if __name__ == "__main__":
    run(main)
