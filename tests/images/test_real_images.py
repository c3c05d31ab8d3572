"""The default parameters on real Fashion-MNIST images: 7,000 to train on, 3,500 for test."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.autoencoder.training import train
from stages.common.settings import load_params
from stages.images.garment_framing import learn_framing, read_framed
from stages.images.sources import fashion_mnist_images
from stages.latents.extract_latents import extract
from stages.latents.new_images import encode_images, finish_map, kinds_of, place_images, warn
from stages.scores.evaluate_map import score_latents, score_map
from stages.tsne.embedding import embed, place

REAL = Path("../shared/fashion-mnist")
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist")
TSNE = load_params("tsne")


@pytest.fixture(scope="module")
def images():
    return fashion_mnist_images(str(REAL))


@pytest.fixture(scope="module")
def network(images):
    return train(images.train_images, load_params("autoencoder"))[0]


@pytest.fixture(scope="module")
def rows(images, network):
    return vars(extract(network, vars(images), "cpu"))


@pytest.fixture(scope="module")
def tsne(rows):
    latents = rows["train_latents"][: TSNE.points]
    positions, kl_divergence = embed(latents, TSNE)
    placed = place(latents, positions, rows["test_latents"])
    return {"positions": positions, "placed": placed, "kl_divergence": kl_divergence}


@pytest.fixture(scope="module")
def finished(rows, tsne):
    return finish_map(rows, tsne["positions"])


def test_the_latents_keep_more_than_as_many_principal_components(rows):
    scores = score_latents(rows, load_params("map_scores"))
    assert scores["test_mse"] < 0.85 * scores["pca_test_mse"]
    assert scores["knn_accuracy"] >= max(scores["pca_knn_accuracy"], scores["pixel_knn_accuracy"])


def test_the_map_is_faithful_and_new_images_land_among_their_kind(rows, tsne):
    scores = score_map(rows, tsne, load_params("map_scores"))
    assert scores["trustworthiness"] >= 0.993
    assert scores["placed_knn_accuracy"] >= 0.80


@pytest.mark.parametrize("reading", ["as they are", "large and negative"])
def test_a_hundred_png_files_are_named_by_their_kind(images, network, finished, tmp_path, reading):
    framing = learn_framing(finished.images, cut=True)
    for i, image in enumerate(images.test_images[:100]):
        picture = Image.fromarray(image)
        if reading == "large and negative":
            picture = Image.fromarray(255 - image).resize((200, 200), Image.Resampling.BICUBIC).convert("RGB")
        picture.save(tmp_path / f"{i:03}.png")
    read = [read_framed(path, framing) for path in sorted(tmp_path.iterdir())]
    pictures, strange = np.stack([picture for picture, _ in read]), [warnings for _, warnings in read]
    if reading == "as they are":
        np.testing.assert_array_equal(pictures, images.test_images[:100])
    placed = place_images(pictures, strange, network, finished, "cpu")
    top = [next(iter(kinds)) for kinds in kinds_of(placed.encoded.neighbours, finished)]
    names = images.class_names[images.test_labels[:100]]
    assert sum(kind == name for kind, name in zip(top, names, strict=True)) >= 79
    assert sum(map(bool, placed.warnings)) <= 8, "5 of 100, and chance"


def test_held_out_garments_belong_on_the_map_and_inverted_ones_do_not(images, network, finished):
    def off_map(pictures):
        warnings = warn(encode_images(pictures, network, finished, "cpu").measures, finished)
        return np.mean([bool(reasons) for reasons in warnings])

    assert off_map(images.test_images) <= 0.05
    assert off_map(255 - images.test_images[:500]) > 0.99
    noise = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
    assert off_map(noise) == 1
