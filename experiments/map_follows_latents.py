"""How the map follows the latents: over latent sizes, over perplexities, and over the number of latents on it.

    python -m experiments.map_follows_latents          # an hour on two quiet cores

The training images of Fashion-MNIST are learnt, its test images placed on the finished map. Beside params.yaml only
what is compared is changed, and the seed of network and map. Scores:

- test_mse: of the test images rebuilt
- latent_accuracy: test images whose five nearest latents, of those on the map, are mostly of their class
- map_accuracy: the same on the map, once they are placed (`placed_knn_accuracy` in metrics/map.json)
- trustworthiness, knn_recall: as in metrics/map.json

Rows are kept in experiments/latents/map.csv and latents in build/, so a run goes on where it was stopped. The tables
go to docs/latents.md, the pictures to docs/images/.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.tables import averaged, digest, put_into, resumed
from stages.autoencoder.training import train
from stages.common.artifacts import read_arrays, write_arrays, write_bytes
from stages.common.samples import classes_of, is_train, labels_of
from stages.common.settings import AutoencoderParams, TsneParams, load_params
from stages.figures.map_points import class_entries, draw_points
from stages.figures.style import FIT, INK, legend, new_figure, paper, png_bytes
from stages.images.source_fashion_mnist import fashion_mnist_images
from stages.latents.extract_latents import extract
from stages.scores.map import knn_accuracy, knn_recall, trustworthiness
from stages.tsne.embedding import embed, place

SIZES = [2, 4, 8, 16, 32, 64]
PERPLEXITIES = [5.0, 10.0, 20.0, 30.0, 50.0, 100.0]
POINTS = [1000, 3000, 6000]
DIGITS = {"latent_accuracy": 3, "map_accuracy": 3, "trustworthiness": 4, "knn_recall": 3}
COMPARED = {  # comparison: the parameter it changes, and its name in the table
    "sizes": ("latent_dim", "latent size"),
    "points": ("points", "latents on the map"),
    "perplexities": ("perplexity", "perplexity"),
}
KEPT = Path("build/latents")


class Garments(NamedTuple):
    """Fashion-MNIST: images uint8 (n, 28, 28) with labels int64 (n,), and the names of the classes."""

    train_images: np.ndarray
    test_images: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    class_names: list[str]


def read_garments(root: str) -> Garments:
    """Read Fashion-MNIST from `root`."""
    samples, arrays = fashion_mnist_images(root)
    train, images, labels = is_train(samples), arrays["images"], labels_of(samples)
    return Garments(images[train], images[~train], labels[train], labels[~train], classes_of(samples))


def settings(what: str, seed: int) -> list[tuple[AutoencoderParams, TsneParams]]:
    """The parameters of one comparison's runs."""
    network = load_params("autoencoder").model_copy(update={"seed": seed})
    tsne = load_params("tsne").model_copy(update={"seed": seed})
    if what == "sizes":
        return [(network.model_copy(update={"latent_dim": size}), tsne) for size in SIZES]
    if what == "perplexities":
        return [(network, tsne.model_copy(update={"perplexity": value})) for value in PERPLEXITIES]
    return [(network, tsne.model_copy(update={"points": count})) for count in POINTS]


def latents_of(images: Garments, params: AutoencoderParams) -> dict[str, np.ndarray]:
    """Train and test latents and the test images' errors, learnt once and then kept."""
    path = str(KEPT / f"{digest(params)}.npz")
    if not Path(path).exists():
        network, _ = train(images.train_images, params, "cpu")
        train_rows, test_rows = (extract(network, part, "cpu") for part in (images.train_images, images.test_images))
        write_arrays(
            path,
            train_latents=train_rows["latents"],
            test_latents=test_rows["latents"],
            test_errors=test_rows["errors"],
        )
    return read_arrays(path)


def map_of(images: Garments, network: AutoencoderParams, params: TsneParams) -> dict[str, np.ndarray]:
    """Positions of the latents and of the test images placed afterwards, laid out once and then kept."""
    path = str(KEPT / f"map-{digest(network, params)}.npz")
    if not Path(path).exists():
        rows = latents_of(images, network)
        latents = rows["train_latents"][: params.points]
        positions, _ = embed(latents, params, "cpu")
        placed = place(latents, positions, rows["test_latents"])
        write_arrays(path, positions=positions, placed=placed)
    return read_arrays(path)


def measure(images: Garments, network: AutoencoderParams, params: TsneParams) -> list[dict]:
    """The scores of one map, as the only row."""
    rows, tsne = latents_of(images, network), map_of(images, network, params)
    latents, labels = rows["train_latents"][: params.points], images.train_labels[: params.points]
    score = {
        "test_mse": float(rows["test_errors"].mean()),
        "latent_accuracy": knn_accuracy(latents, labels, rows["test_latents"], images.test_labels, 5),
        "map_accuracy": knn_accuracy(tsne["positions"], labels, tsne["placed"], images.test_labels, 5),
        "trustworthiness": trustworthiness(latents, tsne["positions"], 12),
        "knn_recall": float(knn_recall(latents, tsne["positions"], 15).mean()),
    }
    return [{"latent_dim": network.latent_dim, "perplexity": params.perplexity, "points": params.points, **score}]


def table_of(what: str, images: Garments, seeds: int) -> pd.DataFrame:
    """The rows of one comparison, over all its seeds; those not measured yet are measured."""
    tables = []
    for seed in range(seeds):
        for network, params in settings(what, seed):
            name = f"z {network.latent_dim} perplexity {params.perplexity:g} points {params.points}"
            measured = partial(measure, images, network, params)
            tables.append(resumed("experiments/latents/map.csv", digest(network, params), name, seed, measured))
    return pd.concat(tables, ignore_index=True)


def draw_following(sizes: pd.DataFrame, perplexities: pd.DataFrame) -> Figure:
    """Accuracy on the map beside that among the latents: left over the latent size, right over the perplexity."""
    with paper():
        note = "share of test images whose five nearest are mostly of their class; bars span the seeds"
        figure = new_figure(10, 4.8, "Accuracy on the map and among the latents", note)
        left, right = figure.subplots(1, 2)
        draw_lines(left, sizes.groupby("latent_dim"))
        left.set(xlabel="length of the latent vector (log scale)", ylabel="accuracy", title="latent sizes")
        draw_lines(right, perplexities.groupby("perplexity"))
        right.set(xlabel="perplexity (log scale)", ylabel="accuracy", title="perplexities")
    return figure


def draw_lines(axes: Axes, groups: pd.api.typing.DataFrameGroupBy) -> None:
    """Both accuracies over what the rows are grouped by, each line named at its last point."""
    for key, name, colour in (("latent_accuracy", "among latents", INK), ("map_accuracy", "on the map", FIT)):
        mean, low, high = groups[key].mean(), groups[key].min(), groups[key].max()
        axes.errorbar(mean.index, mean, yerr=[mean - low, high - mean], color=colour, marker="o", linewidth=1.4)
        above = {"xytext": (0, 9), "textcoords": "offset points", "ha": "right", "size": 9}
        axes.annotate(name, (mean.index[-1], mean.iloc[-1]), color=colour, **above)
    axes.set_xscale("log")
    axes.set_xticks(mean.index, [f"{value:g}" for value in mean.index])
    axes.minorticks_off()
    axes.margins(y=0.25)


def draw_maps(maps: list[np.ndarray], images: Garments, accuracies: pd.Series) -> Figure:
    """The map of fewer and of more latents side by side, coloured by class."""
    with paper():
        note = "the same network's latents; accuracy is that of placed test images, by their five nearest"
        figure = new_figure(13, 5, "How many latents make a good map", note)
        figure.set_dpi(80)  # so many points at the usual resolution would make a large file
        for axes, positions in zip(figure.subplots(1, len(maps)), maps, strict=True):
            count = len(positions)
            draw_points(axes, positions, np.zeros(count), images.train_labels[:count])
            axes.set_title(f"{count:,} latents, accuracy {accuracies[count]:.3f}")
            axes.set_aspect("equal", adjustable="datalim")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        handles, _ = class_entries(images.train_labels[:0], images.class_names)
        legend(figure, handles, list(images.class_names), loc="outside right center")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=load_params("images").root, help="where Fashion-MNIST lies")
    parser.add_argument("--seeds", type=int, default=2, help="of network and map")
    arguments = parser.parse_args()
    images = read_garments(arguments.root)
    KEPT.mkdir(parents=True, exist_ok=True)
    tables = {}
    for what, (column, title) in COMPARED.items():
        tables[what] = table_of(what, images, arguments.seeds)
        digits = {"test_mse": 5, **DIGITS} if what == "sizes" else DIGITS
        put_into("docs/latents.md", what, averaged(tables[what], [column], digits).rename(columns={column: title}))
    picture = draw_following(tables["sizes"], tables["perplexities"])
    write_bytes("docs/images/map_follows_latents.png", png_bytes(picture))
    maps = [map_of(images, *run)["positions"] for run in settings("points", 0)]
    accuracies = tables["points"].groupby("points")["map_accuracy"].mean()
    write_bytes("docs/images/map_points_by_number.png", png_bytes(draw_maps(maps, images, accuracies)))


if __name__ == "__main__":
    main()
