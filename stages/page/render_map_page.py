"""Make the interactive map, one file that needs no network."""

from stages.common.artifacts import read_arrays, read_csv, read_json, read_weights, write_text
from stages.common.errors import run
from stages.common.samples_table import read_samples
from stages.common.settings import load_params, map_params
from stages.page.page_from_artifacts import keep_columns, page_from_artifacts


def main() -> None:
    page = page_from_artifacts(
        keep_columns(read_samples(), load_params("page").columns),
        read_arrays("data/images.npz"),
        read_arrays("data/latents.npz"),
        read_arrays("data/map.npz"),
        read_weights("data/autoencoder.safetensors"),
        {"map": read_json("metrics/map.json"), "latents": read_json("metrics/latents.json")},
        map_params(),
        read_csv("plots/map_points.csv"),
        read_csv("plots/groups.csv"),
        read_csv("plots/review.csv"),
    )
    write_text("plots/map.html", page)


if __name__ == "__main__":
    run(main)
