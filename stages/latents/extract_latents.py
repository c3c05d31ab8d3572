"""Encode every image with the trained autoencoder or a pretrained network, or take the vectors of a table."""

import json
from collections.abc import Callable
from functools import partial

import numpy as np

from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import CHUNK, choose_device, network_from, reconstruct
from stages.cluster.connection import on_cluster
from stages.cluster.map_on_ray import mapping
from stages.common.artifacts import on_disk, read_arrays, read_weights, write_arrays
from stages.common.errors import run
from stages.common.settings import load_params
from stages.images.source_vectors import vector_latents
from stages.latents.torchvision_encoder import load_encoder

PIECE = 32 * CHUNK  # images of one task: whole chunks, as the last bits of a matrix product depend on its shape


def extract(network: Autoencoder, images: np.ndarray, device: str, parallel_map: Callable = map) -> dict:
    """Return `latents`, `reconstructions` and `errors` of images (n, h, w[, 3]) uint8, as in `data/latents.npz`."""
    pieces = (images[start : start + PIECE] for start in range(0, len(images), PIECE))
    columns, done = [], 0
    for part in parallel_map(partial(reconstruct, network, device=device), pieces):
        columns = columns or [on_disk((len(images), *values.shape[1:]), values.dtype) for values in part]
        for column, values in zip(columns, part, strict=True):
            column[done : done + len(values)] = values
        done += len(part[0])
    return dict(zip(("latents", "reconstructions", "errors"), columns, strict=True))


def main() -> None:
    params, device = load_params("latents"), load_params("device")
    images = read_arrays("data/images.npz")["images"]
    if params.is_file:
        arrays = vector_latents(params)
    elif params.source == "autoencoder":
        network = network_from(*read_weights("data/autoencoder.safetensors"))
        arrays = extract(network, images, device, mapping())
    else:
        encoder = load_encoder(params.source, params.weights)
        arrays = {"latents": encoder.encode(images, choose_device(device))}
        arrays["encoder"] = np.array(json.dumps(encoder.description))  # which weights: `fitmap place` checks it
    write_arrays("data/latents.npz", **arrays)


if __name__ == "__main__":
    run(on_cluster(main))
