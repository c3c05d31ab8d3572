"""Encode every image with the trained autoencoder, or read latents from the user's own file."""

from dataclasses import asdict

from stages.latents.latent_set import LatentSet, read_latents
from stages.latents.training import encode, network_from, reconstruct
from stages.pipeline.artifacts import read_arrays, read_weights, write_arrays
from stages.pipeline.errors import run
from stages.pipeline.params import load_params


def main() -> None:
    params = load_params("latents")
    if params.source != "autoencoder":
        write_arrays("data/latents.npz", **asdict(read_latents(params)))
        return
    network = network_from(*read_weights("data/autoencoder.safetensors"))
    rows = read_arrays("data/images.npz")
    for split in ("train", "test"):
        images = rows[f"{split}_images"]
        rows[f"{split}_latents"] = encode(network, images, params.device)
        rows[f"{split}_reconstructions"], rows[f"{split}_errors"] = reconstruct(network, images, params.device)
    write_arrays("data/latents.npz", **asdict(LatentSet(**rows)))


if __name__ == "__main__":
    run(main)
