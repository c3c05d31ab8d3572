"""Compile the kernels ahead, for the processor of this machine: `python -m stages.tsne.compile_kernels`.

`make install` does it, so that no run has to wait; without it the first run compiles each kernel as it comes to it.
"""

import numpy as np

from stages.common.settings import TsneParams
from stages.scores.map import trustworthiness
from stages.tsne import descent, placing
from stages.tsne.affinities import joint_affinities
from stages.tsne.forces import divergence
from stages.tsne.grid import Grid


def main() -> None:
    latents = np.random.default_rng(0).normal(size=(1200, 8)).astype(np.float32)  # more than one tile of neighbours
    params = TsneParams.model_construct(early_exaggeration=12.0, iterations=1)
    affinities = joint_affinities(latents, 10.0)
    positions = descent.descend(descent.principal_start(latents, 2, seed=0), affinities, params)
    Grid().repulsion(positions, np.empty_like(positions))
    divergence(positions, affinities)
    rows = np.ascontiguousarray(positions.T)
    placing.place(latents, rows, latents)
    trustworthiness(latents, rows, 5)


if __name__ == "__main__":
    main()
