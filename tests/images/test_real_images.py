"""The default parameters on real Fashion-MNIST images: 7,000 to train on, 3,500 for test."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.autoencoder.training import reconstruct, train
from stages.common.samples_table import classes_of, is_train, labels_of
from stages.common.settings import load_params
from stages.images.images_to_place import read_like_training
from stages.images.source_fashion_mnist import fashion_mnist_images
from stages.latents.encode_new_rows import classes_near, finish_map, measures_of, place_images, warn
from stages.scores.evaluate_map import score_latents, score_map
from stages.tsne.embedding import embed, place

REAL = Path("../shared/fashion-mnist")
TSNE = load_params("tsne")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist"),
]


@pytest.fixture(scope="module")
def source():
    return fashion_mnist_images(str(REAL))


@pytest.fixture(scope="module")
def encode(source):
    samples, pictures = source
    network = train(pictures["images"][is_train(samples)], load_params("autoencoder"), "cpu")[0]
    return lambda images: reconstruct(network, images, "cpu")


@pytest.fixture(scope="module")
def latents(source, encode):
    return dict(zip(("latents", "reconstructions", "errors"), encode(source[1]["images"]), strict=True))


@pytest.fixture(scope="module")
def tsne(source, latents):
    mapped, placed_rows = np.split(np.arange(len(source[0])), [TSNE.points])
    rows = latents["latents"]
    positions, kl_divergence = embed(rows[mapped], TSNE, "cpu")
    placed = place(rows[mapped], positions, rows[placed_rows])
    return {
        "mapped": mapped, "positions": positions, "placed_rows": placed_rows, "placed": placed,
        "kl_divergence": kl_divergence,
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(source, latents, tsne):
    (samples, pictures), mapped = source, tsne["mapped"]
    columns = (latents["latents"][mapped], tsne["positions"], pictures["images"][mapped], latents["errors"][mapped])
    return finish_map(samples.iloc[mapped], *columns, framed=True)


def test_the_latents_keep_more_than_as_many_principal_components(source, latents):
    scores = score_latents(source[0], source[1]["images"], latents)
    assert scores["test_mse"] <= 0.0121
    assert scores["test_mse"] < 0.85 * scores["pca_test_mse"]
    assert scores["knn_accuracy"] >= max(0.825, scores["pca_knn_accuracy"], scores["pixel_knn_accuracy"])


def test_the_map_is_faithful_and_new_images_land_among_their_class(source, latents, tsne):
    scores = score_map(source[0], latents, tsne)
    assert scores["trustworthiness"] >= 0.9915
    assert scores["placed_knn_accuracy"] >= 0.795


@pytest.mark.parametrize("reading", ["as they are", "large and negative"])
def test_a_hundred_png_files_are_told_by_their_class(source, encode, finished, tmp_path, reading):
    samples, pictures = source
    test = np.flatnonzero(~is_train(samples))[:100]
    for i, image in enumerate(pictures["images"][test]):
        picture = Image.fromarray(image)
        if reading == "large and negative":
            picture = Image.fromarray(255 - image).resize((200, 200), Image.Resampling.BICUBIC).convert("RGB")
        picture.save(tmp_path / f"{i:03}.png")
    read = [read_like_training(path, pictures, "crop") for path in sorted(tmp_path.iterdir())]
    images, strange = np.stack([image for image, _ in read]), [warnings for _, warnings in read]
    if reading == "as they are":
        np.testing.assert_array_equal(images, pictures["images"][test])
    placed = place_images(images, strange, encode, finished)
    top = [next(iter(classes)) for classes in classes_near(placed.neighbours, finished)]
    names = np.array(classes_of(samples))[labels_of(samples)[test]]
    assert sum(name == told for name, told in zip(names, top, strict=True)) >= 79
    assert sum(map(bool, placed.warnings)) <= 8, "5 of 100, and chance"


def test_held_out_garments_belong_on_the_map_and_inverted_ones_do_not(source, encode, finished):
    def off_map(images):
        measures = measures_of(images, encode(images), finished)
        return np.mean([bool(reasons) for reasons in warn(measures, finished.measures, images)])

    test = source[1]["images"][~is_train(source[0])]
    assert off_map(test) <= 0.05
    assert off_map(255 - test[:500]) > 0.99
    noise = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
    assert off_map(noise) == 1
