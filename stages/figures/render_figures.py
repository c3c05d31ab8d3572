"""Draw the pictures."""

from matplotlib.figure import Figure

from stages.common.artifacts import read_architecture, read_arrays, read_csv, read_json, write_bytes
from stages.common.errors import run
from stages.common.progress import progress
from stages.common.settings import FiguresParams, load_params
from stages.figures.curve import draw_curve_data, draw_fit, draw_residuals
from stages.figures.factors import draw_factors
from stages.figures.losses import draw_loss
from stages.figures.map_images import draw_map_images
from stages.figures.map_points import draw_map_points
from stages.figures.network import draw_network
from stages.figures.reconstructions import draw_reconstructions
from stages.figures.style import draw_note, png_bytes
from stages.figures.t_distribution import draw_t_distribution
from stages.tsne.landmarks import landmarks_of


def draw_curve_branch() -> dict[str, Figure]:
    """What the regressor learned, by file name."""
    fit, architecture = read_csv("plots/regressor_fit.csv"), read_architecture("data/regressor.safetensors")
    floor = read_json("metrics/regressor.json")["noise_floor_mae"]
    return {
        "curve_data": draw_curve_data(read_csv("data/curve.csv")),
        "network": draw_network(
            [tuple(layer) for layer in architecture["layers"]], architecture["members"], len(architecture["groups"])
        ),
        "regressor_loss": draw_loss(
            read_csv("plots/regressor_loss.csv"),
            title="The regressor's loss over the epochs",
            loss=f"{architecture['loss'].upper()} loss",
            noise_floor=floor if architecture["loss"] == "l1" else None,
        ),
        "regressor_fit": draw_fit(fit),
        "residuals": draw_residuals(fit, floor),
    }


def draw_image_branch(params: FiguresParams) -> dict[str, Figure]:
    """What the autoencoder understood, by file name."""
    rows, tsne = read_arrays("data/latents.npz"), read_arrays("data/map.npz")
    rows, positions, names = landmarks_of(rows, tsne["landmarks"]), tsne["positions"], rows["class_names"]
    labels = rows["train_labels"]
    figures = {
        "autoencoder_loss": draw_loss(
            read_csv("plots/autoencoder_loss.csv"), title="The autoencoder's loss over the epochs"
        ),
        "t_distribution": draw_t_distribution(),
        "map_points": draw_map_points(positions, labels, names, tsne["placed"], rows["test_labels"], tsne["others"]),
        "map_images": draw_note("The map of the images", "these latents came without images"),
        "reconstructions": draw_note("Originals over reconstructions", "these latents came without images"),
        "factor_agreement": draw_note(
            "What the map knows of how garments were drawn", "these images were not drawn here"
        ),
    }
    if len(rows["factor_names"]):
        factors = rows["train_factors"]
        agreement = read_csv("plots/factor_agreement.csv")
        figures["factor_agreement"] = draw_factors(positions, labels, factors, agreement)
    if len(rows["train_images"]):
        images = rows["train_images"]
        figures["map_images"] = draw_map_images(positions, images, labels, names, params.map_pixels)
    if len(rows["test_reconstructions"]):
        test = [rows[f"test_{name}"] for name in ("images", "reconstructions", "errors", "labels")]
        figures["reconstructions"] = draw_reconstructions(*test, names, params.reconstructions_per_class)
    return figures


def main() -> None:
    figures = {**draw_curve_branch(), **draw_image_branch(load_params("figures"))}
    for name, figure in progress(figures.items(), "rendering", unit="picture"):
        write_bytes(f"plots/{name}.png", png_bytes(figure))


if __name__ == "__main__":
    run(main)
