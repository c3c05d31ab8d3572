"""Lay the latents of the training rows out by t-SNE, then place all other rows on the finished map."""

import numpy as np

from stages.cluster.connection import on_cluster
from stages.cluster.map_on_ray import mapping
from stages.common.artifacts import read_arrays, write_arrays
from stages.common.errors import run
from stages.common.samples_table import is_train, read_samples
from stages.common.settings import load_params
from stages.tsne.embedding import embed, place


def main() -> None:
    params, device, parallel_map = load_params("tsne"), load_params("device"), mapping()
    latents = read_arrays("data/latents.npz")["latents"]
    training = int(is_train(read_samples()).sum())
    mapped = np.arange(min(params.points, training))
    placed_rows = np.setdiff1d(np.arange(len(latents)), mapped)
    positions, kl_divergence = embed(latents[mapped], params, device)
    write_arrays(
        "data/map.npz",
        mapped=mapped,
        positions=positions,
        placed_rows=placed_rows,
        placed=place(latents[mapped], positions, latents[placed_rows], parallel_map),
        kl_divergence=np.array(kl_divergence),
    )


if __name__ == "__main__":
    run(on_cluster(main))
