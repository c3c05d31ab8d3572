"""Make the interactive map, one file that needs no network."""

from dataclasses import asdict

import numpy as np

from stages.common.artifacts import read_arrays, read_json, read_weights, write_text
from stages.common.density import density_beneath
from stages.common.errors import run
from stages.common.settings import load_params, map_params
from stages.images.garment_framing import learn_framing
from stages.page.map_page import map_page, points_of
from stages.page.packing import Encoder
from stages.scores.map import neighbourhoods
from stages.tsne.landmarks import landmarks_of
from stages.tsne.neighbours import nearest, reach


def main() -> None:
    params = load_params("map_page")
    rows, tsne = read_arrays("data/latents.npz"), read_arrays("data/map.npz")
    rows, positions = landmarks_of(rows, tsne["landmarks"]), tsne["positions"]
    latents = rows["train_latents"]
    neighbours, kept = neighbourhoods(latents, positions, params.neighbours)
    points = points_of(rows, "train", positions, neighbours=neighbours, kept=kept)
    _, new_neighbours = nearest(latents, rows["test_latents"], params.neighbours)
    encoder = None
    if load_params("latents").source == "autoencoder":
        framing = learn_framing(points.images)
        weights = read_weights("data/autoencoder.safetensors")
        encoder = Encoder(*weights, latents, reach(latents, neighbours), asdict(framing))
    page = map_page(
        points,
        rows["class_names"],
        title=params.title,
        new=points_of(rows, "test", tsne["placed"], neighbours=new_neighbours.astype(np.int32)),
        new_name="Test images, placed afterwards",
        metrics={name: read_json(f"metrics/{name}.json") for name in ("map", "latents")},
        params=map_params(),
        encoder=encoder,
        density=density_beneath(positions, tsne["others"]),
    )
    write_text("plots/map.html", page)


if __name__ == "__main__":
    run(main)
