"""The real pipeline on a user's own points, images and latents."""

import json

import numpy as np
import pytest
from PIL import Image

from stages.images.garments.garments import draw_garments
from tests.run_in_fork import fitmap, stages

THREE_DIMENSIONS = {"n_components": 3, "perplexity": 10}
FROM_LATENTS = ("embed_latents", "embed_baselines", "evaluate_map", "render_figures", "render_map_page")


@pytest.fixture
def project(pipeline, tmp_path):
    """The tiny pipeline's project after its run. DVC runs what reads the inputs, one process all that follows."""
    return pipeline.copy(tmp_path)


def write_photographs(folder, class_of, n=240):
    """Garments as files of many sizes, modes and formats, in nested folders, the class of each as `class_of` says."""
    images, labels, _ = draw_garments(n, seed=5)
    modes = ("RGB", "L", "RGBA", "P", "CMYK", "I;16")
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        mode = modes[i % len(modes)]
        picture = Image.fromarray(image).resize((40 + 7 * (i % 5), 40 + 5 * (i % 3)))
        if mode == "I;16":
            picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
        else:
            picture = picture.convert("RGB").convert(mode)
        path = folder / class_of(i, label) / f"{i}.{'tif' if mode == 'CMYK' else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)


def place(project, *arguments, fails=False):
    return project.fork(fitmap, "place", *map(str, arguments), fails=fails)


def test_own_points_and_a_folder_of_images(project):
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 5, 400)
    y = np.sin(2 * x) + generator.normal(0, 0.1, 400)
    points = project.folder / "data/input/points/own.csv"
    np.savetxt(points, np.column_stack([x, y]), delimiter=",", header="x,y", comments="")
    photographs = project.folder / "data/input/images/own"
    write_photographs(photographs, lambda i, label: "shoes" if label in (5, 7, 9) else f"others/deep/{i % 2}")
    (photographs / "shoes/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    project.set(
        {
            "curve": {"source": "data/input/points/own.csv"},
            "images": {"source": "data/input/images/own", "size": 24},
            "tsne": {"perplexity": 10},
        }
    )
    assert "shoes/broken.jpg cannot be read as an image" in project.fork(stages, "load_images", fails=True)
    project.set({"images": {"folder_broken": "skip"}})
    assert set(project.repro("generate_curve", "load_images")) == {"generate_curve", "load_images"}
    project.fork(stages, "train_regressor", "evaluate_regressor", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    scores = project.metrics("regressor")
    assert scores["test_mae"] < 0.5 * scores["linear_baseline_mae"]
    assert scores["truth_rmse"] is scores["noise_floor_mae"] is scores["mae_over_floor"] is None
    assert project.metrics("map")["points"] == 192
    assert project.metrics("map")["placed_knn_accuracy"] > 0.8
    assert project.metrics("map")["pca_placed_knn_accuracy"] > 0.8
    assert project.metrics("map")["factor_agreement"] is None

    entries = json.loads(place(project, *sorted((photographs / "shoes").glob("*.png")), "--json"))
    assert np.mean([entry["kinds"].get("shoes", 0) > 0.5 for entry in entries]) > 0.8
    assert np.mean([entry["off_map"] for entry in entries]) < 0.1

    points.write_text(points.read_text() + "2.5,0.1\n")
    assert project.repro("generate_curve") == ["generate_curve"], "a changed input file must be seen"


def test_two_hundred_classes_on_a_map_in_three_dimensions(project):
    photographs = project.folder / "data/input/images/own"
    write_photographs(photographs, lambda i, _: f"a class with number {i % 200}", n=400)
    project.set({"images": {"source": "data/input/images/own"}, "tsne": THREE_DIMENSIONS})
    project.fork(stages, "load_images", "train_autoencoder", "extract_latents", *FROM_LATENTS)
    assert project.metrics("map")["points"] == 320
    assert project.metrics("map")["trustworthiness"] > 0.8
    (entry,) = json.loads(place(project, photographs / "a class with number 7/7.png", "--json", "--picture", "own.png"))
    assert len(entry["position"]) == 3
    with Image.open(project.folder / "own.png") as picture:
        assert min(picture.size) > 1000


def test_own_latents_with_images_and_labels(project):
    images, labels, _ = draw_garments(200, seed=6)
    latents = images.reshape(200, -1)[:, ::7] / 255
    names = np.array(["shoe" if label in (5, 7, 9) else "other" for label in labels])
    file = project.folder / "data/input/latents/own.npz"
    np.savez(file, latents=latents, labels=names, images=images)
    project.set({"latents": {"source": "data/input/latents/own.npz"}, "tsne": {"perplexity": 10}})
    project.fork(stages, "extract_latents", *FROM_LATENTS)
    assert project.metrics("map")["points"] == 160
    assert project.metrics("map")["placed_knn_accuracy"] > 0.8
    assert project.metrics("map")["pixel_trustworthiness"] is None
    assert project.metrics("latents")["pixel_knn_accuracy"] > 0.8
    assert project.metrics("latents")["test_mse"] is None
    printed = place(project, "data/input/images", fails=True)
    assert printed.startswith("fitmap: data/latents.npz came from a file of latents")
    assert printed.count("\n") == 1


def test_own_latents_without_images_or_labels_on_a_map_in_three_dimensions(project):
    latents = np.random.default_rng(0).normal(size=(150, 6))
    np.savetxt(project.folder / "data/input/latents/own.csv", latents, delimiter=",", header="a,b,c,d,e,f", comments="")
    project.set(
        {"latents": {"source": "data/input/latents/own.csv"}, "tsne": {**THREE_DIMENSIONS, "engine": "sklearn"}}
    )
    assert project.repro("extract_latents") == ["extract_latents"], "no autoencoder is trained for them"
    project.fork(stages, *FROM_LATENTS)
    assert project.metrics("map")["points"] == 120
    assert project.metrics("map")["placed_knn_accuracy"] is None
    assert project.metrics("map")["pca_placed_knn_accuracy"] is None
    assert set(project.metrics("latents").values()) == {None}
