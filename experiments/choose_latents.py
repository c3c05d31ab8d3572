"""The autoencoder's default parameters, chosen without labels and without the test images.

    python -m experiments.choose_latents screen        # every variant, one parameter away: minutes
    python -m experiments.choose_latents finalists     # the best ones with their maps, three seeds each: an hour
    python -m experiments.choose_latents schedules     # how long to train: fifteen minutes

Everything is measured on the training images of Fashion-MNIST alone. Some are held out, and each of these has a view
that training has never seen: bent by a smooth random field, its tones changed, with a little noise. Scores:

- mse_over_pca: error of the rebuilt held-out images over that of as many principal components
- view_recall: share of an image's 15 nearest training latents that are among the 15 nearest to its view's latent
- view_rank: mean of 1 / rank of the image itself among all latents, seen from its view
- dimension: the latents' intrinsic dimension (Levina & Bickel 2004, 12 neighbours); fewer fit a flat map better
- trustworthiness, knn_recall: how faithful the map is, as in metrics/map.json (not in the screen)

Finished rows are kept in experiments/latents/*.csv and not run again while the parameters stay the same; the tables go
to docs/latents.md.
"""

import argparse
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from experiments.tables import averaged, digest, put_into, resumed
from stages.autoencoder.training import encode, reconstruct, train
from stages.common.settings import AutoencoderParams, load_params
from stages.images.sources import fashion_mnist_images
from stages.scores.map import fit_pca, knn_recall, pca_mse, trustworthiness
from stages.tsne.embedding import embed
from stages.tsne.neighbours import nearest

LEARNT = {"screen": 4000, "finalists": 6000, "schedules": 6000}  # training images; held-out ones follow the first 6,000
HELD_OUT = slice(6000, 7000)
NEIGHBOURS = 15
NO_VIEWS = {"consistency": 0.0, "shift": 0.0, "rotation": 0.0, "stretching": 0.0}
VARIANTS = {
    "default": {},
    "plain autoencoder": {**NO_VIEWS, "beta": 0.0, "length_compression": 0.0, "linear_path": False},
    "no views": NO_VIEWS,
    "shifts rebuilt": {"consistency": 0.0, "rotation": 0.0, "stretching": 0.0},
    "views rebuilt": {"consistency": 0.0},
    "consistency 0.02": {"consistency": 0.02},
    "consistency 0.1": {"consistency": 0.1},
    "views not moved": {"shift": 0.0},
    "views not turned": {"rotation": 0.0},
    "views not stretched": {"stretching": 0.0},
    "views mirrored too": {"flip": True},
    "denoising, noise 0.1": {"noise": 0.1},
    "beta 0": {"beta": 0.0},
    "beta 0.02": {"beta": 0.02},
    "beta 0.1": {"beta": 0.1},
    "length_compression 0": {"length_compression": 0.0},
    "length_compression 0.5": {"length_compression": 0.5},
    "length_compression 0.9": {"length_compression": 0.9},
    "whitening 0.5": {"whitening": 0.5},
    "whitening -0.5": {"whitening": -0.5},
    "no linear path": {"linear_path": False},
    "loss l1": {"loss": "l1"},
    "weight_decay 0.1": {"weight_decay": 0.1},
    "latent_dim 16": {"latent_dim": 16},
    "latent_dim 64": {"latent_dim": 64},
    "conv": {"architecture": "conv"},
}
FINALISTS = {
    "default": {},
    "length_compression 0": {"length_compression": 0.0},
    "length_compression 0.5": {"length_compression": 0.5},
    "beta 0.02": {"beta": 0.02},
    "shifts rebuilt": VARIANTS["shifts rebuilt"],
}
SCHEDULES = {
    f"{epochs} epochs at {rate}, batches of {batch}": {"epochs": epochs, "learning_rate": rate, "batch_size": batch}
    for epochs, rate, batch in (
        (30, 0.001, 128), (24, 0.003, 128), (20, 0.003, 128), (16, 0.003, 128), (20, 0.005, 128), (16, 0.005, 128),
        (14, 0.005, 128), (12, 0.005, 128), (18, 0.005, 256), (16, 0.007, 256),
    )
}  # fmt: skip
TRIED = {"screen": VARIANTS, "finalists": FINALISTS, "schedules": SCHEDULES}
SEEDS = {"screen": 1, "finalists": 3, "schedules": 2}
DIGITS = {
    "mse_over_pca": 3, "view_recall": 3, "view_rank": 3, "dimension": 2, "trustworthiness": 4, "knn_recall": 3,
}  # fmt: skip


def unseen_views(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """A view of each image (n, h, w) uint8 of a kind that training does not use (elastic: Simard et al. 2003)."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(images)[:, None] / 255
    n, _, height, width = pixels.shape
    bends = functional.interpolate(torch.randn(n, 2, 4, 4, generator=generator), (height, width), mode="bicubic")
    still = functional.affine_grid(torch.eye(2, 3).expand(n, 2, 3), list(pixels.shape), align_corners=False)
    bent = functional.grid_sample(pixels, still + 2.4 / width * bends.permute(0, 2, 3, 1), align_corners=False)
    tones = torch.exp(0.5 * torch.rand(n, 1, 1, 1, generator=generator) - 0.25)
    views = bent.clamp(0, 1).pow(tones) + 0.03 * torch.randn(pixels.shape, generator=generator)
    return (views.clamp(0, 1) * 255).round().to(torch.uint8)[:, 0].numpy()


def view_recall(latents: np.ndarray, seen: np.ndarray, views: np.ndarray) -> float:
    """Share of the nearest `latents` (n, d) of each image (m, d) that are among the nearest of its view (m, d)."""
    _, of_images = nearest(latents, seen, NEIGHBOURS)
    _, of_views = nearest(latents, views, NEIGHBOURS)
    return float((of_images[:, :, None] == of_views[:, None, :]).any(axis=2).mean())


def view_rank(latents: np.ndarray, seen: np.ndarray, views: np.ndarray) -> float:
    """Mean of 1 / rank of each image (m, d) among all latents, by distance from its view (m, d)."""
    _, indices = nearest(np.concatenate([seen, latents]), views, len(seen))
    own = indices == np.arange(len(seen))[:, None]
    ranks = np.where(own.any(axis=1), own.argmax(axis=1) + 1, np.inf)
    return float(np.mean(1 / ranks))


def intrinsic_dimension(latents: np.ndarray, k: int = 12) -> float:
    """The maximum-likelihood estimate of Levina & Bickel 2004, averaged as MacKay & Ghahramani do."""
    sample = latents[:2000]
    distances = nearest(sample, sample, k + 1)[0][:, 1:]
    logs = np.log(distances[:, -1:] / distances[:, :-1].clip(1e-12))
    return float((k - 1) / logs.sum(axis=1).mean())


def score(images: np.ndarray, params: AutoencoderParams, learnt: int, with_map: bool) -> list[dict]:
    """The scores of one variant by name, as the only row."""
    known, held_out = images[:learnt], images[HELD_OUT]
    network, _ = train(known, params)
    latents, seen, views = (encode(network, some, "cpu") for some in (known, held_out, unseen_views(held_out)))
    error = reconstruct(network, held_out, "cpu")[2].mean()
    scores = {
        "mse_over_pca": error / pca_mse(fit_pca(known, params.latent_dim), held_out),
        "view_recall": view_recall(latents, seen, views),
        "view_rank": view_rank(latents, seen, views),
        "dimension": intrinsic_dimension(latents),
    }
    if with_map:
        positions, _ = embed(latents, load_params("tsne"))
        scores["trustworthiness"] = trustworthiness(latents, positions, 12)
        scores["knn_recall"] = float(knn_recall(latents, positions, NEIGHBOURS).mean())
    return [scores]


def runs(step: str) -> Iterator[tuple[str, int, AutoencoderParams]]:
    """Name, seed and parameters of every run of a step."""
    default = load_params("autoencoder").model_copy(update={"device": "cpu"})
    for seed in range(SEEDS[step]):
        for name, changes in TRIED[step].items():
            yield name, seed, default.model_copy(update={**changes, "seed": seed})


def measure_step(images: np.ndarray, step: str) -> pd.DataFrame:
    """A row for each run of the step."""
    tables = []
    for name, seed, params in runs(step):
        key = digest(params, load_params("tsne"))
        with_map = step != "screen"
        measure = partial(score, images, params, LEARNT[step], with_map)
        tables.append(resumed(f"experiments/latents/{step}.csv", key, name, seed, measure))
    return pd.concat(tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=list(LEARNT))
    parser.add_argument("--root", default=load_params("images").root, help="where Fashion-MNIST lies")
    arguments = parser.parse_args()
    images = fashion_mnist_images(arguments.root).train_images[: HELD_OUT.stop]
    table = measure_step(images, arguments.step)
    digits = {key: count for key, count in DIGITS.items() if key in table}
    put_into("docs/latents.md", arguments.step, averaged(table, ["name"], digits))


if __name__ == "__main__":
    main()
