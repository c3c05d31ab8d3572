"""Lay the images out by their principal components, without the autoencoder, to compare."""

import numpy as np

from stages.common.artifacts import read_arrays, write_arrays
from stages.common.errors import run
from stages.common.pca import fit_pca
from stages.common.samples_table import is_train, read_samples
from stages.common.settings import is_table, load_params
from stages.tsne.embedding import embed, place

EMPTY = ("latents", "positions", "placed", "kl_divergence")
COMPONENTS = 50  # the usual number before t-SNE


def main() -> None:
    params, device = load_params("tsne"), load_params("device")
    images = read_arrays("data/images.npz")["images"]
    if not len(images) or is_table(load_params("latents.source")):  # vectors of another model: there is no baseline
        write_arrays("data/baseline_map.npz", **{name: np.zeros((0, 2), np.float32) for name in EMPTY})
        return
    training = int(is_train(read_samples()).sum())
    mapped, placed_rows = np.split(np.arange(len(images)), [min(params.points, training)])
    pca = fit_pca(images[:training], COMPONENTS)
    latents = pca.transform(images)
    positions, kl_divergence = embed(latents[mapped], params, device)
    write_arrays(
        "data/baseline_map.npz",
        latents=latents,
        positions=positions,
        placed=place(latents[mapped], positions, latents[placed_rows]),
        kl_divergence=np.array(kl_divergence),
    )


if __name__ == "__main__":
    run(main)
