"""Lay the images out without the autoencoder, from their principal components and from their pixels, to compare."""

import numpy as np

from stages.common.artifacts import read_arrays, write_arrays
from stages.common.checkpoint import NoCheckpoint, run_checkpoint
from stages.common.errors import run
from stages.common.settings import TsneParams, load_params
from stages.scores.map import MOST_TRAIN, fit_pca, flatten
from stages.tsne.embedding import embed, place

PCA_COMPONENTS = 50  # as many as one usually takes before t-SNE


def embed_baselines(
    train_images: np.ndarray, test_images: np.ndarray, params: TsneParams, checkpoint: NoCheckpoint
) -> dict[str, np.ndarray]:
    """Two maps of the first training images (n, h, w) uint8, of principal components and of pixels.

    Returns `pca_latents` (points, components), and for each map `pca_` and `pixel_positions` (points, 2 | 3) with
    `pca_` and `pixel_placed` (test images, 2 | 3).
    """
    mapped = train_images[: params.points]
    pca = fit_pca(train_images[:MOST_TRAIN], PCA_COMPONENTS)
    components = pca.transform(flatten(mapped))
    arrays = {"pca_latents": components}
    spaces = {
        "pca": (components, pca.transform(flatten(test_images))),
        "pixel": (flatten(mapped), flatten(test_images)),
    }
    for name, (latents, new_latents) in spaces.items():
        positions, _ = embed(latents, params, checkpoint.part(name))
        arrays |= {f"{name}_positions": positions, f"{name}_placed": place(latents, positions, new_latents)}
    return arrays


def main() -> None:
    images = read_arrays("data/images.npz")
    params, checkpoint = load_params("tsne"), run_checkpoint()
    maps = embed_baselines(images["train_images"], images["test_images"], params, checkpoint)
    write_arrays("data/baseline_maps.npz", **maps)


if __name__ == "__main__":
    run(main)
