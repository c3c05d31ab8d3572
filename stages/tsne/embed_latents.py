"""Lay the latents out by t-SNE, then place the test images' latents on the finished map."""

import numpy as np

from stages.cluster.connection import on_cluster
from stages.cluster.tasks import mapping
from stages.common.artifacts import read_arrays, write_arrays
from stages.common.checkpoint import run_checkpoint
from stages.common.errors import run
from stages.common.settings import load_params
from stages.tsne.embedding import embed, place
from stages.tsne.landmarks import choose_landmarks


def main() -> None:
    params = load_params("tsne")
    rows = read_arrays("data/latents.npz")
    train, run = rows["train_latents"], mapping()
    landmarks, others = np.arange(min(params.points, len(train))), train[:0]
    if params.landmarks == "density" and len(train) > params.points:
        landmarks = choose_landmarks(train, params.points, params.seed, run)
        others = np.delete(train, landmarks, axis=0)
    latents = train[landmarks]
    positions, kl_divergence = embed(latents, params, run_checkpoint())
    arrays = {"landmarks": landmarks, "positions": positions, "kl_divergence": kl_divergence}
    arrays |= {"placed": place(latents, positions, rows["test_latents"], run)}
    arrays |= {"others": place(latents, positions, others, run)}
    write_arrays("data/map.npz", **arrays)


if __name__ == "__main__":
    run(on_cluster(main))
