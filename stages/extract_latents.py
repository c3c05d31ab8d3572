"""Encode every image with the trained autoencoder, or read latents from the user's own file."""

from dataclasses import asdict

import numpy as np

from stages.latents.autoencoder import Autoencoder
from stages.latents.latent_set import LatentSet, read_latents
from stages.latents.training import encode, network_from, reconstruct
from stages.pipeline.artifacts import read_arrays, read_weights, write_arrays
from stages.pipeline.params import load_params


def extract(network: Autoencoder, images: dict[str, np.ndarray], device: str) -> LatentSet:
    """The latents, reconstructions and errors of all images; `images` as in `ImageSet`."""
    rows = dict(images)
    for split in ("train", "test"):
        pictures = images[f"{split}_images"]
        rows[f"{split}_latents"] = encode(network, pictures, device)
        rows[f"{split}_reconstructions"], rows[f"{split}_errors"] = reconstruct(network, pictures, device)
    return LatentSet(**rows)


def main() -> None:
    params = load_params("latents")
    if params.source == "autoencoder":
        network = network_from(*read_weights("data/autoencoder.safetensors"))
        latents = extract(network, read_arrays("data/images.npz"), params.device)
    else:
        latents = read_latents(params)
    write_arrays("data/latents.npz", **asdict(latents))
