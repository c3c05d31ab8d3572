import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from stages.autoencoder.training import reconstruct, train
from stages.common.settings import load_params
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.scores.find_duplicates import exact_copies, near_copies
from stages.scores.find_outliers_and_suspects import (
    count_duplicates,
    error_smoothness,
    find_duplicates,
    find_outliers,
    find_suspect_labels,
    find_thin_spots,
)

SLICE = Path("../shared/fashion-mnist/FashionMNIST/raw")
PHOTOS = Path("../shared/cifar-10")


def real_garments() -> np.ndarray:
    """Return the images of the slice, those for training first."""
    files = [SLICE / f"{part}-images-idx3-ubyte" for part in ("train", "t10k")]
    return np.concatenate([np.fromfile(file, np.uint8, offset=16) for file in files]).reshape(-1, 28, 28)


def changed(image: np.ndarray, how: str) -> np.ndarray:
    """Return a near copy of an image: resized to 90 % and back, recompressed, shifted by a pixel, or brightened."""
    picture, side = Image.fromarray(image), image.shape[0]
    if how == "resized":
        small = picture.resize((round(0.9 * side),) * 2, Image.Resampling.LANCZOS)
        return np.asarray(small.resize((side, side), Image.Resampling.LANCZOS))
    if how == "recompressed":
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=60)
        return np.asarray(Image.open(file))
    if how == "shifted":
        return np.roll(image, 1, axis=1)
    return (image * 1.1).clip(0, 255).round().astype(np.uint8)


HOW = ("resized", "recompressed", "shifted", "brightened")


def plant(images: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Replace 2 `count` images by copies of others, the first half exact, the second half near.

    Returns the images, and the rows (2 count,) copied from and to.
    """
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(images), 4 * count, replace=False)
    source, target = rows[: 2 * count], rows[2 * count :]
    images = images.copy()
    for i, (one, other) in enumerate(zip(source, target, strict=True)):
        images[other] = images[one] if i < count else changed(images[one], HOW[i % len(HOW)])
    return images, source, target


def check_copies(images: np.ndarray, count: int, seed: int) -> tuple[float, float]:
    """Check that all planted exact copies are found; return recall and precision of the near ones."""
    images, source, target = plant(images, count, seed)
    first = exact_copies(images)
    assert (first[source[:count]] == first[target[:count]]).all()
    for row in np.flatnonzero(first != np.arange(len(images))):
        assert np.array_equal(images[row], images[first[row]]), "precision against pixel equality"
    distinct = np.flatnonzero(first == np.arange(len(images)))
    found = {tuple(pair) for pair in distinct[near_copies(images[distinct])[0]]}
    planted = {(min(pair), max(pair)) for pair in zip(source[count:], target[count:], strict=True)}
    return len(found & planted) / len(planted), len(found & planted) / len(found)


def photographs() -> np.ndarray:
    """Return photographs uint8 (n, 32, 32, 3)."""
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in sorted(PHOTOS.glob("train/*/*"))])


def needs(folder: Path) -> list:
    return [pytest.mark.full, pytest.mark.skipif(not folder.exists(), reason="no real images beside the project")]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        pytest.param(lambda: draw_garments(1000, seed=3)[0], 20, id="drawn"),
        pytest.param(real_garments, 100, marks=needs(SLICE), id="Fashion-MNIST"),
        pytest.param(photographs, 100, marks=needs(PHOTOS), id="CIFAR-10"),
    ],
)
def test_planted_copies_are_found(source, count):
    recall, precision = check_copies(source(), count, seed=0)
    assert recall >= 0.9
    assert precision >= 0.8


def test_an_image_of_which_a_part_was_changed_is_a_near_copy():
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (100, 32, 32, 3)).astype(np.uint8)
    noise[1] = noise[0]
    noise[1, 10:18, 10:18] = 255 - noise[1, 10:18, 10:18]
    pairs, similarity = near_copies(noise)
    assert pairs.tolist() == [[0, 1]]
    assert 0.5 < similarity[0] < 1


def test_an_image_with_other_colours_is_a_near_copy():
    generator = np.random.default_rng(0)
    smooth = gaussian_filter(generator.normal(size=(60, 32, 32)), (0, 3, 3))
    regions = np.digitize(smooth / smooth.std(), [-1, -0.4, 0.4, 1])
    regions[1] = regions[0]
    palettes = generator.integers(0, 256, (60, 5, 3)).astype(np.uint8)
    palettes[1] = palettes[0]
    palettes[1, 2] = 255 - palettes[0, 2]  # the region in the middle, a third of the image
    pairs, _ = near_copies(np.stack([palette[image] for palette, image in zip(palettes, regions, strict=True)]))
    assert pairs.tolist() == [[0, 1]]


def test_copies_across_the_splits_are_leaks():
    images, _, _ = draw_garments(200, seed=4)
    images[150], images[30], images[160] = images[10], images[20], changed(images[40], "shifted")
    train = np.arange(200) < 120
    findings = find_duplicates(images, train)
    told = {(row.kind, row.row, row.other_row) for row in findings.itertuples()}
    assert {("leak", 150, 10), ("duplicate", 30, 20), ("leak", 160, 40)} <= told
    assert count_duplicates(findings)["exact_duplicates"] == 2
    assert count_duplicates(findings)["leaks"] >= 2


def test_copies_of_copies_are_one_set_and_large_sets_come_first():
    images, _, _ = draw_garments(200, seed=6)
    images[20], images[150] = images[10], images[10]
    images[40] = changed(images[30], "brightened")
    images[160], images[170], images[180] = images[30], changed(images[30], "shifted"), changed(images[30], "resized")
    findings = find_duplicates(images, np.arange(200) < 120)
    found = {number: set(rows["row"]) | set(rows["other_row"]) for number, rows in findings.groupby("set")}
    assert (found[1], found[2]) == ({30, 40, 160, 170, 180}, {10, 20, 150})
    assert findings["set"].is_monotonic_increasing
    assert set(findings["row"][findings["kind"] == "leak"]) >= {150, 160, 170, 180}
    assert not {10, 30} & set(findings["row"]), "the first of each set is no copy"


def test_equal_vectors_are_exact_copies():
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    vectors[7] = vectors[3]
    findings = find_duplicates(vectors, np.ones(50, bool))
    assert findings[["kind", "row", "other_row", "why"]].values.tolist() == [["duplicate", 7, 3, "exact copy"]]


def test_rows_far_from_all_others_or_badly_rebuilt_come_first_among_the_outliers():
    generator = np.random.default_rng(0)
    latents, errors = generator.normal(size=(1000, 8)).astype(np.float32), generator.uniform(0.9, 1, 1000)
    smoothness = generator.uniform(0.9, 1, 1000)
    latents[[5, 500]] += 8
    errors[700], smoothness[800] = 3, 3
    findings = find_outliers(latents, {"errors": errors, "smoothness": smoothness})
    assert set(findings["row"][:4]) == {5, 500, 700, 800}
    why = findings.set_index("row")["why"]
    assert why[5] in ("far from all others", "far from its neighbours")
    assert (why[700], why[800]) == ("badly rebuilt", "rebuilt as something else")
    assert len(findings) <= 40


def plant_others(images: np.ndarray, kind: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Replace `count` of the images uint8 (n, 28, 28) by digits or photographs; return the images and these rows."""
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(images), count, replace=False)
    if kind == "digits":
        pictures = [Image.fromarray((image * 15.9).astype(np.uint8)) for image in load_digits().images]
    else:
        pictures = [Image.open(path).convert("L") for path in sorted(PHOTOS.glob("train/*/*"))]
    images = images.copy()
    for row, other in zip(rows, generator.choice(len(pictures), count, replace=False), strict=True):
        images[row] = np.asarray(pictures[other].resize((28, 28), Image.Resampling.BICUBIC))
    return images, rows


def share_among_first_outliers(images: np.ndarray, planted: np.ndarray, training: int, epochs: int | str) -> float:
    """Train on the first images and return the share of the planted rows among twice as many first outliers."""
    network, _ = train(images[:training], load_params("autoencoder").model_copy(update={"epochs": epochs}), "cpu")
    latents, reconstructions, errors = reconstruct(network, images, "cpu")
    rebuilt = {"errors": errors, "smoothness": error_smoothness(images, reconstructions)}
    first = find_outliers(latents, rebuilt)["row"][: 2 * len(planted)]
    return np.isin(planted, first.to_numpy(dtype=int)).mean()


def test_digits_among_drawn_garments_are_outliers():
    images, planted = plant_others(draw_garments(1000, seed=0)[0], "digits", 10, seed=0)
    assert share_among_first_outliers(images, planted, 800, epochs=4) >= 0.9


@pytest.mark.full
@pytest.mark.skipif(not SLICE.exists() or not PHOTOS.exists(), reason="no real images beside the project")
@pytest.mark.parametrize("kind", ["digits", "photographs"])
def test_digits_and_photographs_among_real_garments_are_outliers(kind):
    images, planted = plant_others(real_garments(), kind, 50, seed=3)
    assert share_among_first_outliers(images, planted, 7000, epochs="auto") >= 0.9


def test_flipped_labels_are_suspect_and_the_true_class_is_suggested():
    images, labels, _ = draw_garments(2000, seed=5)
    latents = images.reshape(2000, -1)[:, ::3].astype(np.float32)
    generator = np.random.default_rng(0)
    flipped = generator.choice(2000, 40, replace=False)
    given = labels.copy()
    given[flipped] = (labels[flipped] + generator.integers(1, 10, 40)) % 10
    findings = find_suspect_labels(latents, given, list(CLASS_NAMES)).head(40)
    found = findings[findings["row"].isin(flipped)]
    assert len(found) >= 0.6 * 40
    truth = np.array(CLASS_NAMES)[labels[found["row"].to_numpy(dtype=int)]]
    assert (found["suggestion"].to_numpy() == truth).mean() > 0.8


def test_a_wrong_label_is_suspect_in_classes_smaller_than_the_vectors():
    labels = np.arange(60) % 4
    latents = np.random.default_rng(0).normal(size=(60, 40)) + 20 * np.eye(40)[labels]
    labels[0] = 1
    findings = find_suspect_labels(latents, labels, list("abcd"))
    assert (findings["row"][0], findings["suggestion"][0]) == (0, "a")


def test_labels_that_are_unknown_or_of_one_class_are_not_suspect():
    latents = np.random.default_rng(0).normal(size=(60, 3))
    assert find_suspect_labels(latents, np.full(60, -1), []).empty
    assert find_suspect_labels(latents, np.zeros(60, int), ["a"]).empty


def test_small_classes_and_classes_without_a_group_are_thin():
    labels = np.repeat([0, 1, 2], [100, 100, 5])
    groups = np.where(labels == 0, 0, -1)
    findings = find_thin_spots(groups, np.arange(205), labels, np.ones(205, bool), ["a", "b", "c"])
    assert findings["why"].tolist() == ["class c has 5 training rows", "class b forms no group on the map"]


def test_equal_rows_have_no_outliers():
    assert find_outliers(np.tile(np.random.default_rng(0).normal(size=32).astype(np.float32), (60, 1))).empty
