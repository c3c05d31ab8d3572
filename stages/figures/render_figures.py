"""Draw the pictures."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.common.artifacts import read_architecture, read_arrays, read_csv, read_json, rows_of, write_bytes
from stages.common.errors import run
from stages.common.progress import progress
from stages.common.samples_table import classes_of, is_train, labels_of, read_samples
from stages.figures.curve import draw_curve_data, draw_fit, draw_residuals
from stages.figures.factor_agreement import draw_factors
from stages.figures.groups_sheet import draw_groups
from stages.figures.losses import draw_loss
from stages.figures.map_images import draw_map_images
from stages.figures.map_points import draw_map_points, is_numbered
from stages.figures.network import draw_network
from stages.figures.reconstructions import draw_reconstructions
from stages.figures.review_sheet import draw_review
from stages.figures.style import draw_note, letters_without_font, png_bytes
from stages.figures.t_distribution import draw_t_distribution


def draw_curve_pictures() -> dict[str, Figure]:
    """Return the pictures of the regressor by file name."""
    fit, architecture = read_csv("plots/regressor_fit.csv"), read_architecture("data/regressor.safetensors")
    floor = read_json("metrics/regressor.json")["noise_floor_mae"]
    curve = read_csv("data/curve.csv").set_axis(["split", "x", "y", "truth"], axis="columns")  # of any names
    names = {key: architecture[key] for key in ("x_name", "y_name", "log_x")}
    return {
        "curve_data": draw_curve_data(curve, **names),
        "network": draw_network(architecture),
        "regressor_loss": draw_loss(
            read_csv("plots/regressor_loss.csv"),
            title="The regressor's loss over the epochs",
            loss=f"{architecture['loss'].upper()} loss",
            noise_floor=floor if architecture["loss"] == "l1" else None,
        ),
        "regressor_fit": draw_fit(fit, curve=curve, **names),
        "residuals": draw_residuals(fit, floor, **names),
    }


def draw_map_pictures() -> dict[str, Figure]:
    """Return the pictures of the latents and their map by file name; a note in place of those that do not apply."""
    samples, tsne, latents = read_samples(), read_arrays("data/map.npz"), read_arrays("data/latents.npz")
    images, history = read_arrays("data/images.npz")["images"], read_csv("plots/autoencoder_loss.csv")
    agreement = read_csv("plots/factor_agreement.csv")
    labels, names, train = labels_of(samples), classes_of(samples), is_train(samples)
    mapped, placed_rows = tsne["mapped"], tsne["placed_rows"]
    positions, placed = tsne["positions"], tsne["placed"]
    test, things = ~train[placed_rows], "images" if len(images) else "rows"
    if missing := letters_without_font(names):
        print(
            f"no installed font can draw {missing[:10]} in the names of classes: install Noto Sans CJK or NanumGothic"
        )
    groups, on_map = read_csv("plots/groups.csv"), read_csv("plots/map_points.csv")
    group, rank = on_map["group"].to_numpy(), on_map["group_rank"].to_numpy()
    colours, by = (labels[mapped], names), "class"
    if (labels < 0).all() and len(groups) > 1:
        colours, by = (group, group_names(groups, things)), "group"
    pictures = rows_of(images, mapped) if len(images) else images
    medoids = np.flatnonzero(rank == 1)
    medoids = medoids[np.argsort(group[medoids])]
    points = draw_map_points(
        positions,
        *colours,
        placed[test],
        labels[placed_rows[test]],
        others=placed[~test],
        names=None if len(images) or by == "group" else samples["file_name"].iloc[mapped].tolist(),
        things=things,
        by=by,
        medoids=(medoids, pictures[medoids]) if len(images) and by == "group" else None,
    )
    figures = {
        "map_points": points,
        "groups": draw_groups(groups, group, rank, pictures, names),
        "review": draw_review(read_csv("plots/review.csv"), samples["file_name"].to_numpy(), images),
        "t_distribution": draw_t_distribution(),
        "map_images": draw_note("The map of the images", "The vectors came without images."),
        "autoencoder_loss": draw_note("The autoencoder's loss", "No autoencoder was trained for these latents."),
        "reconstructions": draw_note("Originals and reconstructions", "No decoder was trained for these latents."),
        "factor_agreement": draw_note("The map, coloured by the numeric columns", "The samples have none."),
    }
    if len(images):
        figures["map_images"] = draw_map_images(positions, pictures, labels[mapped], names)
    if len(history):
        figures["autoencoder_loss"] = draw_loss(history, title="The autoencoder's loss over the epochs")
    if "reconstructions" in latents:
        rows = slice(train.sum(), None) if not train.all() else slice(None)
        columns = (images[rows], latents["reconstructions"][rows], latents["errors"][rows], labels[rows])
        figures["reconstructions"] = draw_reconstructions(*columns, names, trained=bool(train.all()))
    if len(agreement):
        figures["factor_agreement"] = draw_factors(positions, labels[mapped], samples.iloc[mapped], agreement)
    return figures


def group_names(groups: pd.DataFrame, things: str) -> list[str]:
    """Return a name for each group: that of its most typical row if rows have names, else its number."""
    medoids = groups["medoid"].astype("str")
    if things == "rows" and not medoids.map(is_numbered).any():
        return [f"like {name}" for name in medoids]
    return [f"group {number}" for number in groups["group"]]


def main() -> None:
    figures = {**draw_curve_pictures(), **draw_map_pictures()}
    for name, figure in progress(figures.items(), "rendering", unit="picture"):
        write_bytes(f"plots/{name}.png", png_bytes(figure))


if __name__ == "__main__":
    run(main)
