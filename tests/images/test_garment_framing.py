"""A new image file comes into the frame of the training images, whatever its size, mode and polarity."""

import numpy as np
import pytest
from PIL import Image

from stages.images.garment_framing import extent_of, learn_framing, read_framed
from stages.images.garments.garments import draw_garments

IMAGES, LABELS, _ = draw_garments(300, seed=3)
FRAMING = learn_framing(IMAGES)
BOOT = IMAGES[np.flatnonzero(LABELS == 9)[0]]


def saved(path, image: Image.Image, **options):
    image.save(path, **options)
    return path


def large(image: np.ndarray, side: int = 280) -> Image.Image:
    return Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)


def likeness(image: np.ndarray, other: np.ndarray) -> float:
    return np.corrcoef(image.ravel(), other.ravel())[0, 1]


def test_drawn_garments_lie_on_black_and_fill_most_of_their_frame():
    assert FRAMING.size == 28
    assert FRAMING.ground == 0
    assert 20 <= FRAMING.extent <= 26
    assert learn_framing(255 - IMAGES).ground == 255
    noise = np.random.default_rng(0).integers(0, 256, (100, 28, 28), dtype=np.uint8)
    assert learn_framing(noise) is None


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_an_image_of_the_training_size_comes_through_bit_by_bit(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(BOOT.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(BOOT).convert(mode)
    framed, strange = read_framed(saved(tmp_path / "boot.png", image), FRAMING)
    np.testing.assert_array_equal(framed, BOOT)
    assert strange == []


def on_a_wide_white_photograph(image: np.ndarray) -> Image.Image:
    photograph = Image.new("RGB", (600, 420), (250, 248, 245))
    photograph.paste(
        Image.fromarray(250 - (image * 0.95).astype(np.uint8)).convert("RGB").resize((250, 250)), (280, 60)
    )
    return photograph


def with_alpha(image: np.ndarray, negative: bool) -> Image.Image:
    grey = large(image)
    colour = Image.fromarray(255 - np.asarray(grey)) if negative else grey
    return Image.merge("RGBA", [colour] * 3 + [grey.point(lambda level: 255 * (level > 12))])


READINGS = {
    "large": lambda image: large(image),
    "negative": lambda image: large(255 - image),
    "colour": lambda image: Image.merge("RGB", [large(image)] * 3),
    "palette": lambda image: large(image).convert("P"),
    "CMYK": lambda image: Image.merge("RGB", [large(255 - image)] * 3).convert("CMYK"),
    "16 bit": lambda image: Image.fromarray(np.asarray(large(image)).astype(np.uint16) * 257),
    "on a white photograph": on_a_wide_white_photograph,
    "transparent": lambda image: with_alpha(image, negative=False),
    "dark and transparent": lambda image: with_alpha(image, negative=True),
}


@pytest.mark.parametrize("reading", READINGS)
def test_every_format_comes_into_the_frame(tmp_path, reading):
    bright = [image for image in IMAGES if image[image > 12].mean() > 150]  # dark cloth on nothing counts as negative
    for image in bright[:8]:
        framed, strange = read_framed(saved(tmp_path / "new.tif", READINGS[reading](image)), FRAMING)
        assert strange == []
        assert framed.dtype == np.uint8
        assert abs(extent_of(framed[None])[0] - FRAMING.extent) <= 1
        centred, _ = read_framed(saved(tmp_path / "same.png", large(image)), FRAMING)
        assert likeness(framed, centred) > 0.95


def test_what_has_no_ground_is_called_strange_and_nothing_stays_nothing(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8))
    assert "border" in read_framed(saved(tmp_path / "noise.png", noise), FRAMING)[1][0]
    for colour in ("black", "white", "grey"):
        framed, _ = read_framed(saved(tmp_path / "even.png", Image.new("RGB", (50, 70), colour)), FRAMING)
        assert not framed.any()
