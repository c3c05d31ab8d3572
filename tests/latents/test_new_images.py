"""New images on a finished map: their kinds, their places, and a warning for what does not belong there."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits

from stages.autoencoder.training import encode, reconstruct, train
from stages.common.settings import load_params
from stages.images.garment_framing import learn_framing, read_framed
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.latents.new_images import finish_map, kinds_of, place_images
from stages.tsne.embedding import embed

TSNE = load_params("tsne").model_copy(update={"early_iterations": 100, "iterations": 100})
IMAGES, LABELS, _ = draw_garments(1500, seed=0)
NEW, NEW_LABELS, _ = draw_garments(400, seed=1)
FONTS = Path(matplotlib.get_data_path(), "fonts/ttf")


@pytest.fixture(scope="module")
def network():
    params = load_params("autoencoder").model_copy(update={"hidden_layers": [128], "latent_dim": 16, "epochs": 15})
    return train(IMAGES, params)[0]


@pytest.fixture(scope="module")
def finished(network):
    latents = encode(network, IMAGES, "cpu")
    rows = {
        "train_images": IMAGES,
        "train_latents": latents,
        "train_labels": LABELS,
        "train_errors": reconstruct(network, IMAGES, "cpu")[2],
        "class_names": np.array(CLASS_NAMES),
    }
    return finish_map(rows, embed(latents[:800], TSNE)[0])


@pytest.fixture(scope="module")
def placed(network, finished):
    return put(NEW, network, finished)


def put(images, network, finished):
    return place_images(images, [[]] * len(images), network, finished, "cpu")


def off_map(images, network, finished) -> float:
    """Share of `images` with a warning."""
    return np.mean([bool(warnings) for warnings in put(images, network, finished).warnings])


def test_new_garments_are_named_and_placed_among_their_kind(finished, placed):
    top = [next(iter(kinds)) for kinds in kinds_of(placed.encoded.neighbours, finished)]
    assert np.mean([kind == CLASS_NAMES[label] for kind, label in zip(top, NEW_LABELS, strict=True)]) > 0.75
    own = finished.positions[placed.encoded.neighbours].mean(axis=1)
    assert np.median(np.linalg.norm(placed.positions - own, axis=1)) < 0.1 * np.ptp(finished.positions, axis=0).max()


def test_one_by_one_gives_what_all_at_once_gives(network, finished, placed):
    for i in (0, 7, 399):
        single = put(NEW[i : i + 1], network, finished)
        np.testing.assert_array_equal(single.positions[0], placed.positions[i])
        for name in ("latents", "neighbours", "distances", "errors"):
            np.testing.assert_array_equal(getattr(single.encoded, name)[0], getattr(placed.encoded, name)[i])
        assert single.warnings[0] == placed.warnings[i]


def test_the_maps_own_images_land_beside_themselves(network, finished):
    again = put(finished.images[:200], network, finished)
    np.testing.assert_array_equal(again.encoded.neighbours[:, 0], np.arange(200))
    assert again.encoded.distances[:, 0].max() < 1e-4
    distance = np.linalg.norm(again.positions - finished.positions[:200], axis=1)
    assert np.percentile(distance, 95) < 0.05 * np.ptp(finished.positions, axis=0).max()


def test_held_out_garments_belong_on_the_map(placed):
    assert np.mean([bool(warnings) for warnings in placed.warnings]) <= 0.05


def test_noise_and_emptiness_do_not_belong_there(network, finished):
    noise = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    assert off_map(noise, network, finished) == 1
    even = np.stack([np.full((28, 28), level, np.uint8) for level in (0, 60, 128, 255)])
    assert put(even, network, finished).warnings == [["nothing stands out of its ground"]] * 4


def test_an_inverted_garment_warns_and_is_placed_as_its_negative(network, finished, placed):
    inverted = put(255 - NEW[:100], network, finished)
    assert all(inverted.warnings)
    turned = np.array(["negative" in warnings[0] for warnings in inverted.warnings])
    assert turned.mean() > 0.9
    np.testing.assert_array_equal(inverted.positions[turned], placed.positions[:100][turned])


def printed_digits() -> list[Image.Image]:
    pictures = []
    for name in ("DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "STIXGeneral.ttf", "cmr10.ttf"):
        for digit in "0123456789":
            picture = Image.new("L", (200, 200))
            font = ImageFont.truetype(FONTS / name, 150)
            ImageDraw.Draw(picture).text((100, 100), digit, font=font, fill=255, anchor="mm")
            pictures.append(picture)
    return pictures


def written_digits() -> list[Image.Image]:
    scans = [Image.fromarray((scan * 15.9).astype(np.uint8)) for scan in load_digits().images[:100]]
    return [scan.resize((28, 28), Image.Resampling.BICUBIC) for scan in scans]


@pytest.mark.parametrize("digits", [printed_digits, written_digits])
def test_digits_do_not_belong_there(network, finished, tmp_path, digits):
    framing = learn_framing(finished.images, cut=True)
    for i, picture in enumerate(digits()):
        picture.save(tmp_path / f"{i}.png")
    images = np.stack([read_framed(path, framing)[0] for path in sorted(tmp_path.iterdir())])
    assert off_map(images, network, finished) > 0.9
