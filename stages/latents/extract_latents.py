"""Encode every image with the trained autoencoder, or read latents from the user's own file."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import numpy as np

from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import CHUNK, network_from, reconstruct
from stages.cluster.connection import on_cluster
from stages.cluster.tasks import mapping
from stages.common.artifacts import on_disk, read_arrays, read_weights, write_arrays
from stages.common.errors import run
from stages.common.settings import load_params
from stages.latents.latent_set import LatentSet, read_latents

PIECE = 8 * CHUNK  # images that one task takes: whole chunks, since the last bits of a product depend on its size


def extract(network: Autoencoder, images: dict[str, np.ndarray], device: str, run: Callable = map) -> LatentSet:
    """The latents, reconstructions and errors of all images; `images` as in `ImageSet`, `run` as the built-in map."""
    rows = dict(images)
    for split in ("train", "test"):
        pictures = images[f"{split}_images"]
        pieces = (pictures[start : start + PIECE] for start in range(0, len(pictures), PIECE))
        done, columns = 0, []
        for part in run(partial(reconstruct, network, device=device), pieces):
            columns = columns or [on_disk((len(pictures), *values.shape[1:]), values.dtype) for values in part]
            for column, values in zip(columns, part, strict=True):
                column[done : done + len(values)] = values
            done += len(part[0])
        for name, column in zip(("latents", "reconstructions", "errors"), columns, strict=True):
            rows[f"{split}_{name}"] = column
    return LatentSet(**rows)


def main() -> None:
    params = load_params("latents")
    if params.source == "autoencoder":
        network = network_from(*read_weights("data/autoencoder.safetensors"))
        latents = extract(network, read_arrays("data/images.npz"), params.device, mapping())
    else:
        latents = read_latents(params)
    write_arrays("data/latents.npz", **asdict(latents))


if __name__ == "__main__":
    run(on_cluster(main))
