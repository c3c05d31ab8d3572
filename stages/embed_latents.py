"""Lay the latents out by t-SNE, then place the test images' latents on the finished map."""

from stages.cluster.tasks import mapping
from stages.latents.tsne import embed, place
from stages.pipeline.artifacts import read_arrays, write_arrays
from stages.pipeline.checkpoint import run_checkpoint
from stages.pipeline.params import load_params


def main() -> None:
    params = load_params("tsne")
    rows = read_arrays("data/latents.npz")
    latents = rows["train_latents"][: params.points]
    positions, kl_divergence = embed(latents, params, run_checkpoint())
    placed = place(latents, positions, rows["test_latents"], mapping())
    write_arrays("data/map.npz", positions=positions, placed=placed, kl_divergence=kl_divergence)
