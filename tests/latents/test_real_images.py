"""The default parameters on real Fashion-MNIST images: 7,000 to train on, 3,500 for test."""

from pathlib import Path

import pytest

from stages.evaluate_map import score_latents, score_map
from stages.extract_latents import extract
from stages.latents.images import fashion_mnist_images
from stages.latents.training import train
from stages.latents.tsne import embed, place
from stages.pipeline.params import load_params

REAL = Path("../shared/fashion-mnist")
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist")


@pytest.fixture(scope="module")
def rows():
    images = fashion_mnist_images(str(REAL))
    network, _ = train(images.train_images, load_params("autoencoder"))
    return vars(extract(network, vars(images), "cpu"))


def test_the_latents_keep_more_than_as_many_principal_components(rows):
    scores = score_latents(rows, load_params("map_scores"))
    assert scores["test_mse"] < 0.85 * scores["pca_test_mse"]
    assert scores["knn_accuracy"] >= max(scores["pca_knn_accuracy"], scores["pixel_knn_accuracy"])


def test_the_map_is_faithful_and_new_images_land_among_their_kind(rows):
    params = load_params("tsne")
    latents = rows["train_latents"][: params.points]
    positions, kl_divergence = embed(latents, params)
    placed = place(latents, positions, rows["test_latents"], params)
    tsne = {"positions": positions, "placed": placed, "kl_divergence": kl_divergence}
    scores = score_map(rows, tsne, load_params("map_scores"))
    assert scores["trustworthiness"] >= 0.993
    assert scores["placed_knn_accuracy"] >= 0.80
