"""New rows on a finished map: their classes, their places, and a warning for those that do not belong there."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from stages.common.samples_table import make_samples
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.latents.encode_new_rows import classes_near, finish_map, place_images, place_vectors

IMAGES, LABELS, _ = draw_garments(1500, seed=0)
NEW, NEW_LABELS, _ = draw_garments(150, seed=1)


class Components:
    """Principal components as an encoder: what it places depends on nothing that is trained."""

    def __init__(self, images: np.ndarray, count: int = 16):
        self.pca = PCA(count, random_state=0).fit(self.flat(images))

    @staticmethod
    def flat(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1) / np.float32(255)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        latents = self.pca.transform(self.flat(images)).astype(np.float32)
        rebuilt = self.pca.inverse_transform(latents)
        errors = ((rebuilt - self.flat(images)) ** 2).mean(axis=1).astype(np.float32)
        return latents, (rebuilt.clip(0, 1) * 255).astype(np.uint8).reshape(images.shape), errors


def samples_of(labels: np.ndarray, classes: list[str]) -> pd.DataFrame:
    return make_samples(np.full(len(labels), "train"), [f"{i}.png" for i in range(len(labels))], labels, classes)


@pytest.fixture(scope="module")
def encode():
    return Components(IMAGES)


@pytest.fixture(scope="module")
def finished(encode):
    latents, _, errors = encode(IMAGES)
    flat = np.ascontiguousarray(latents[:, :2])  # any positions will do for placing
    return finish_map(samples_of(LABELS, CLASS_NAMES), latents, flat, IMAGES, errors, framed=True)


@pytest.fixture(scope="module")
def placed(encode, finished):
    return put(NEW, encode, finished)


def put(images, encode, finished):
    return place_images(images, [[]] * len(images), encode, finished)


def off_map(images, encode, finished) -> float:
    """Return the share of `images` with a warning."""
    return np.mean([bool(warnings) for warnings in put(images, encode, finished).warnings])


def test_new_garments_are_told_and_placed_among_their_class(finished, placed):
    top = [next(iter(classes)) for classes in classes_near(placed.neighbours, finished)]
    assert np.mean([name == CLASS_NAMES[label] for name, label in zip(top, NEW_LABELS, strict=True)]) > 0.75
    own = finished.positions[placed.neighbours].mean(axis=1)
    assert np.median(np.linalg.norm(placed.positions - own, axis=1)) < 0.1 * np.ptp(finished.positions, axis=0).max()


def test_the_maps_own_images_are_their_own_neighbours(encode, finished):
    again = put(IMAGES[:100], encode, finished)
    np.testing.assert_array_equal(again.neighbours[:, 0], np.arange(100))
    assert again.distances[:, 0].max() < 1e-4


def test_held_out_garments_belong_on_the_map(placed):
    assert np.mean([bool(warnings) for warnings in placed.warnings]) <= 0.06


def test_noise_emptiness_and_digits_do_not_belong_there(encode, finished):
    noise = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    assert off_map(noise, encode, finished) == 1
    even = np.stack([np.full((28, 28), level, np.uint8) for level in (0, 60, 128, 255)])
    assert put(even, encode, finished).warnings == [["nothing stands out of its ground"]] * 4
    scans = [Image.fromarray((scan * 15.9).astype(np.uint8)) for scan in load_digits().images[:50]]
    assert off_map(np.stack([np.asarray(scan.resize((28, 28))) for scan in scans]), encode, finished) > 0.8


def test_an_inverted_garment_warns_and_is_placed_as_its_negative(encode, finished, placed):
    inverted = put(255 - NEW[:100], encode, finished)
    assert all(inverted.warnings)
    turned = np.array(["negative" in warnings[0] for warnings in inverted.warnings])
    assert turned.mean() > 0.9
    np.testing.assert_array_equal(inverted.positions[turned], placed.positions[:100][turned])


def test_colour_images_of_an_encoder_that_cannot_decode_are_judged_by_distance_alone():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 100, (200, 8, 8, 3), dtype=np.uint8)
    components = Components(images, 4)

    def encode(images):
        return components(images)[0], None, None

    latents = encode(images)[0]
    finished = finish_map(samples_of(np.full(200, -1), []), latents, latents[:, :2].copy(), images)
    placed = put(np.concatenate([images[:3], 255 - images[:3]]), encode, finished)
    assert placed.reconstructions is None
    assert placed.errors is None
    assert [bool(warnings) for warnings in placed.warnings] == [False] * 3 + [True] * 3
    assert "nearest latents" in placed.warnings[3][0]
    assert classes_near(placed.neighbours, finished) == [{}] * 6


@pytest.fixture(scope="module")
def vectors():
    """A map of six groups in ten dimensions, laid out by their first two, and 1,000 vectors held out."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 6, 2200)
    points = (generator.normal(size=(2200, 10)) + 2 * generator.normal(size=(6, 10))[labels]).astype(np.float32)
    mapped = points[:1200]
    finished = finish_map(samples_of(labels[:1200], list("abcdef")), mapped, 5 * PCA(2).fit_transform(mapped))
    return finished, points[1200:], labels


def test_vectors_on_the_map_tell_classes_as_well_as_a_classifier_does(vectors):
    finished, new, labels = vectors
    placed = place_vectors(new, finished)
    classifier = KNeighborsClassifier(5).fit(finished.latents, labels[:1200])
    by_latents = (classifier.predict(new) == labels[1200:]).mean()
    top = [next(iter(classes)) for classes in classes_near(placed.neighbours, finished)]
    own = np.mean([name == "abcdef"[label] for name, label in zip(top, labels[1200:], strict=True)])
    assert own > by_latents - 0.02
    assert np.mean([bool(warnings) for warnings in placed.warnings]) < 0.05


def test_a_far_vector_is_off_the_map_and_equal_vectors_do_no_harm(vectors):
    finished, new, _ = vectors
    assert "as far as is usual" in place_vectors(new[:1] + 100, finished).warnings[0][0]
    equal = np.ones((30, 3), np.float32)
    same = finish_map(samples_of(np.zeros(30, int), ["a"]), equal, np.zeros((30, 2), np.float32))
    placed = place_vectors(np.array([[1, 1, 1], [2, 2, 2]], np.float32), same)
    assert placed.warnings == [[], ["its nearest latents are not equal to it"]]
    assert np.isfinite(placed.positions).all()
