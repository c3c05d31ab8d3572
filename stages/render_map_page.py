"""Make the interactive map, one file that needs no network."""

from dataclasses import asdict

import numpy as np

from stages.figures.map_page import Points, map_page
from stages.figures.packing import Encoder
from stages.latents.framing import CUT_SOURCES, learn_framing
from stages.latents.neighbours import nearest, nearest_others
from stages.latents.scores import shared
from stages.pipeline.artifacts import read_arrays, read_json, read_weights, write_text
from stages.pipeline.errors import run
from stages.pipeline.params import load_params

SHOWN = ("images", "autoencoder", "latents", "tsne", "map_scores", "map_page")  # sections of the panel
WHERE, SEEN = {"root", "device"}, {"title"}  # where a run takes place is nobody's concern; the title is seen anyway
FARTHEST = 97  # percentile of the mapped points' own distances beyond which a dropped image is off the map


def points_of(rows: dict[str, np.ndarray], split: str, positions: np.ndarray, **known) -> Points:
    """The first rows of one split as points of the page; what the rows lack is left out."""
    columns = {name: rows[f"{split}_{name}"][: len(positions)] for name in ("images", "reconstructions", "errors")}
    columns = {name: column for name, column in columns.items() if len(column)}
    return Points(positions, rows[f"{split}_labels"][: len(positions)], **columns, **known)


def mapped_points(rows: dict[str, np.ndarray], positions: np.ndarray, k: int) -> Points:
    """The points that made the map, each with its `k` nearest latents."""
    neighbours = nearest_others(rows["train_latents"][: len(positions)], k)
    kept = shared(neighbours, nearest_others(positions, k))
    return points_of(rows, "train", positions, neighbours=neighbours.astype(np.int32), kept=kept)


def encoder_of(points: Points, latents: np.ndarray, cut: bool) -> Encoder:
    """What the page needs to place new images: the trained autoencoder, and how far apart and how framed images are."""
    architecture, arrays = read_weights("data/autoencoder.safetensors")
    distances = np.linalg.norm(latents[points.neighbours] - latents[:, None], axis=2).mean(axis=1)
    far = float(np.percentile(distances, FARTHEST))
    return Encoder(architecture, arrays, latents, far, asdict(learn_framing(points.images, cut)))


def shown_params() -> dict[str, dict]:
    """The parameters that shaped the map."""
    sections = {name: load_params(name).model_dump(exclude=WHERE | SEEN) for name in SHOWN}
    return {name: section for name, section in sections.items() if section}


def main() -> None:
    rows, tsne = read_arrays("data/latents.npz"), read_arrays("data/map.npz")
    params = load_params("map_page")
    positions = tsne["positions"]
    latents = rows["train_latents"][: len(positions)]
    points = mapped_points(rows, positions, params.neighbours)
    _, neighbours = nearest(latents, rows["test_latents"], points.neighbours.shape[1])
    encodes = load_params("latents").source == "autoencoder"
    page = map_page(
        points,
        rows["class_names"],
        title=params.title,
        new=points_of(rows, "test", tsne["placed"], neighbours=neighbours.astype(np.int32)),
        new_name="Test images, placed afterwards",
        metrics={name: read_json(f"metrics/{name}.json") for name in ("map", "latents")},
        params=shown_params(),
        encoder=encoder_of(points, latents, load_params("images").source in CUT_SOURCES) if encodes else None,
    )
    write_text("plots/map.html", page)


if __name__ == "__main__":
    run(main)
