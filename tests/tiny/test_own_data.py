"""The real pipeline on a user's own points, images and latents."""

import numpy as np
import pytest
from PIL import Image

from stages.latents.garments import draw_garments

THREE_DIMENSIONS = {"n_components": 3, "engine": "sklearn", "perplexity": 10}


@pytest.fixture
def changed(pipeline):
    """The pipeline, whose parameters and inputs are put back afterwards."""
    before = (pipeline.folder / "params.yaml").read_text()
    yield pipeline
    (pipeline.folder / "params.yaml").write_text(before)
    pipeline.run("git", "clean", "-fdxq", "data/input")
    pipeline.repro()
    assert pipeline.run("git", "status", "--porcelain") == ""


def test_own_points_and_a_folder_of_images(changed):
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 5, 400)
    y = np.sin(2 * x) + generator.normal(0, 0.1, 400)
    points = changed.folder / "data/input/points/own.csv"
    np.savetxt(points, np.column_stack([x, y]), delimiter=",", header="x,y", comments="")
    images, labels, _ = draw_garments(240, seed=5)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = changed.folder / f"data/input/images/own/{'shoes' if label in (5, 7, 9) else 'others'}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((50, 40)).convert("RGB").save(path)
    changed.set(
        {
            "curve": {"source": "data/input/points/own.csv"},
            "images": {"source": "data/input/images/own", "size": 24},
            "tsne": {"perplexity": 10},
        }
    )
    changed.repro()
    scores = changed.metrics("regressor")
    assert scores["test_mae"] < 0.5 * scores["linear_baseline_mae"]
    assert scores["truth_rmse"] is scores["noise_floor_mae"] is scores["mae_over_floor"] is None
    assert changed.metrics("map")["points"] == 192
    assert changed.metrics("map")["placed_knn_accuracy"] > 0.8

    points.write_text(points.read_text() + "2.5,0.1\n")
    assert "generate_curve" in changed.repro(), "a changed input file must be seen"


def test_own_latents_without_images_or_labels_on_a_map_in_three_dimensions(changed):
    latents = np.random.default_rng(0).normal(size=(150, 6))
    np.savetxt(changed.folder / "data/input/latents/own.csv", latents, delimiter=",", header="a,b,c,d,e,f", comments="")
    changed.set({"latents": {"source": "data/input/latents/own.csv"}, "tsne": THREE_DIMENSIONS})
    ran = changed.repro()
    assert "train_autoencoder" not in ran
    assert "render_map_page" in ran
    assert changed.metrics("map")["points"] == 120
    assert changed.metrics("map")["placed_knn_accuracy"] is None
    assert set(changed.metrics("latents").values()) == {None}
