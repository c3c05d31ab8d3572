"""Compile the kernels for this machine's processor: `python -m commands.compile_kernels`.

`make install` runs it, so that no stage has to wait; otherwise the first run compiles each kernel when it needs it.
"""

import numpy as np

from stages.common.settings import TsneParams
from stages.scores.find_duplicates import near_copies
from stages.scores.map_faithfulness import knn_recall, trustworthiness
from stages.tsne import gradient_descent
from stages.tsne.affinities import joint_affinities
from stages.tsne.forces import divergence
from stages.tsne.grid_repulsion import Grid
from stages.tsne.place_new_rows import place_rows


def main() -> None:
    latents = np.random.default_rng(0).normal(size=(1200, 8)).astype(np.float32)  # more than one tile of neighbours
    params = TsneParams.model_construct(iterations=1)
    affinities = joint_affinities(latents, 10.0)
    start = gradient_descent.principal_start(latents, 2, seed=0)
    gradient_descent.descend(start, affinities, params)
    Grid().repulsion(start, np.empty_like(start))
    divergence(start, affinities)
    rows = np.ascontiguousarray(start.T)
    place_rows(latents, rows, latents)
    trustworthiness(latents, rows, 5)
    knn_recall(latents, rows, 5)
    near_copies(np.random.default_rng(0).integers(0, 256, (64, 16, 16)).astype(np.uint8))


if __name__ == "__main__":
    main()
