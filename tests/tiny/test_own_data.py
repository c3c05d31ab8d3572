"""The real pipeline on points, images and vectors of your own."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tests.commands_in_docs import commands
from tests.run_in_fork import dvc, fitmap, stages
from tests.tiny.own_data import write_photographs, write_points, write_songs

THREE_DIMENSIONS = {"n_components": 3, "perplexity": 10}
FROM_LATENTS = ("embed_latents", "embed_baselines", "evaluate_map", "render_figures", "render_map_page")


@pytest.fixture
def project(pipeline, tmp_path):
    """The tiny pipeline's project after its run. DVC runs what reads the inputs, one process all that follows."""
    return pipeline.copy(tmp_path)


def place(project, *arguments):
    printed = project.fork(fitmap, "place", *map(str, arguments), "--json")
    return json.loads(printed[printed.index("[\n") :])  # after what is said on stderr


def test_own_points_and_photographs_in_colour_with_their_columns(project):
    points = project.folder / "data/input/points/own.csv"
    write_points(points)
    photographs = project.folder / "data/input/images/own"
    write_photographs(photographs)
    files = sorted(path.relative_to(photographs).as_posix() for path in photographs.rglob("*.*"))
    titles = {file: f"photograph {i}" for i, file in enumerate(files)}
    metadata = pd.DataFrame({"file_name": files, "title": titles.values(), "price": range(len(files))})
    metadata.to_csv(photographs / "metadata.csv", index=False)
    (photographs / "shoes/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    project.set(
        {
            "curve": {"source": "data/input/points/own.csv"},
            "images": {"source": "data/input/images/own", "pixels": 24},
            "tsne": {"perplexity": 10},
        }
    )
    assert "shoes/broken.jpg cannot be read as an image" in project.fork(stages, "load_images", fails=True)
    project.set({"images": {"on_broken": "skip"}})
    assert set(project.repro("generate_curve", "load_images")) == {"generate_curve", "load_images"}
    project.fork(stages, "train_regressor", "evaluate_regressor", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    scores = project.metrics("regressor")
    assert scores["test_mae"] < 0.5 * scores["linear_baseline_mae"]
    assert scores["truth_rmse"] is scores["noise_floor_mae"] is scores["mae_over_floor"] is None
    assert project.metrics("map")["points"] == 192
    assert project.metrics("map")["placed_knn_accuracy"] > 0.8
    samples = pd.read_parquet(project.folder / "data/samples.parquet")
    assert list(samples.columns) == ["split", "file_name", "label", "title", "price"]
    assert list(samples["title"]) == [titles[file] for file in samples["file_name"]]
    with np.load(project.folder / "data/latents.npz") as arrays:
        assert arrays["reconstructions"].shape == (240, 24, 24, 3)
        mean = arrays["reconstructions"][(samples["label"] == "shoes").to_numpy()].mean(axis=(0, 1, 2))
    assert mean[0] > 1.5 * mean[2], "shoes are orange"

    entries = place(project, *sorted((photographs / "shoes").glob("*.png")))
    assert np.mean([entry["classes"].get("shoes", 0) > 0.5 for entry in entries]) > 0.8
    assert np.mean([entry["off_map"] for entry in entries]) < 0.1
    assert set(entries[0]["neighbours"]) <= set(samples["file_name"])

    points.write_text(points.read_text() + "2.5,0.1\n")
    assert project.repro("generate_curve") == ["generate_curve"], "a changed input file must be seen"


def test_a_table_of_vectors_makes_a_map_without_training(project):
    write_songs(project.folder / "data/input/latents/songs.parquet")
    source = {"source": "data/input/latents/songs.parquet"}
    project.set({"latents": source, "tsne": {"perplexity": 10}})
    assert "scales differ" in project.fork(stages, "load_images", "extract_latents")
    project.set({"latents": {**source, "scale": "standard"}})
    project.fork(stages, "load_images", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    assert project.metrics("map")["points"] == 214
    assert project.metrics("map")["placed_knn_accuracy"] >= 0.9
    assert project.metrics("latents")["test_mse"] is project.metrics("latents")["pca_knn_accuracy"] is None
    page = (project.folder / "plots/map.html").read_text()
    assert "Artist 7" in page
    entries = place(project, "data/input/latents/songs.parquet")
    assert len(entries) == 267
    assert entries[3]["file_name"] == "Song no. 3"
    assert entries[3]["neighbour_distances"][0] == 0 or "Song no. 3" not in entries[3]["neighbours"]


@pytest.mark.full
def test_two_hundred_classes_on_a_map_in_three_dimensions(project):
    photographs = project.folder / "data/input/images/own"
    write_photographs(photographs, lambda i: f"a class with number {i % 200}", n=400)
    project.set({"images": {"source": "data/input/images/own", "pixels": 24}, "tsne": THREE_DIMENSIONS})
    project.fork(stages, "load_images", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    assert project.metrics("map")["points"] == 320
    assert project.metrics("map")["trustworthiness"] > 0.8
    (entry,) = place(project, next((photographs / "a class with number 7").iterdir()), "--picture", "own.png")
    assert len(entry["position"]) == 3
    with Image.open(project.folder / "own.png") as picture:
        assert min(picture.size) > 1000


@pytest.mark.full
def test_features_of_a_torchvision_model_from_load_to_place(project):
    from stages.common.torchvision_import import torchvision

    photographs, weights = project.folder / "data/input/images/own", "data/input/weights/seeded.pth"
    write_photographs(photographs, n=80)
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(weights=None, num_classes=3).state_dict(), project.folder / weights)
    latents = {"source": "torchvision/resnet18", "weights": weights}
    project.set({"images": {"source": "data/input/images/own", "pixels": 32}, "latents": latents})
    project.fork(stages, "load_images", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    rows = np.load(project.folder / "data/latents.npz")
    assert rows["latents"].shape == (80, 512)
    assert "reconstructions" not in rows
    assert (project.folder / "plots/map.html").exists()
    mapped = pd.read_csv(project.folder / "plots/map_points.csv")["file_name"]
    (entry,) = place(project, photographs / mapped[0])
    assert entry["neighbours"][0] == mapped[0], "an image of the map is its own nearest neighbour"
    weights_file = project.folder / weights
    weights_file.write_bytes(weights_file.read_bytes() + b"\0")
    refused = project.fork(fitmap, "place", str(photographs / mapped[0]), fails=True)
    assert "Traceback" not in refused


@pytest.mark.full
def test_vectors_alone_on_a_map_in_three_dimensions(project):
    vectors = np.random.default_rng(0).normal(size=(150, 6))
    np.savetxt(project.folder / "data/input/latents/own.csv", vectors, delimiter=",", header="a,b,c,d,e,f", comments="")
    tsne = {**THREE_DIMENSIONS, "engine": "sklearn"}
    project.set({"latents": {"source": "data/input/latents/own.csv"}, "tsne": tsne})
    project.fork(stages, "load_images", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    assert project.metrics("map")["points"] == 120
    assert project.metrics("map")["placed_knn_accuracy"] is None
    assert set(project.metrics("latents").values()) == {None}


@pytest.mark.full
def test_the_recipes_of_the_documentation(project):
    write_points(project.folder / "my_points.csv")
    write_photographs(project.folder / "my_photos", lambda i: f"{('cat', 'dog')[i % 2]}")
    write_songs(project.folder / "my_vectors.parquet")
    project.set({"tsne": {"perplexity": 10}})
    project.commit("before")
    for command in commands(Path("docs/data.md")):
        words = shlex.split(command)
        runner = {"dvc": dvc, "fitmap": fitmap}.get(words[0])
        printed = project.fork(runner, *words[1:]) if runner else project.run(*words)
        assert "Traceback" not in printed
    assert project.metrics("map")["points"] == 214
    assert (project.folder / "plots/map.html").stat().st_size > 100_000
