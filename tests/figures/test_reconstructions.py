"""The right images over the right reconstructions."""

import numpy as np
import pytest

from stages.figures.reconstructions import MOST, draw_reconstructions


def test_originals_stand_above_their_reconstructions_with_their_errors():
    images = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 6, 9), np.uint8)
    labels, errors = np.array([1, 0, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4])
    axes = draw_reconstructions(images, images + 100, errors, labels, ["cat", "$dog_"]).axes[0]
    shown = [(int(np.asarray(image.get_array()).max()), image.get_extent()) for image in axes.images]
    assert [value for value, _ in shown] == [1, 101, 3, 103, 0, 100, 2, 102]
    for (_, upper), (_, lower) in zip(shown[::2], shown[1::2], strict=True):
        assert upper[:2] == lower[:2]
        assert upper[2] >= lower[3]
        assert (upper[1] - upper[0]) / (upper[3] - upper[2]) == pytest.approx(9 / 6)
    assert {"cat", "$dog_", "0.1000", "0.4000"} <= {text.get_text() for text in axes.texts}


def test_colour_is_kept_and_training_images_are_called_so():
    images = np.random.default_rng(0).integers(0, 255, (3, 5, 5, 3)).astype(np.uint8)
    figure = draw_reconstructions(images, 255 - images, np.zeros(3), np.arange(3), list("abc"), trained=True)
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert np.array_equal(shown[0], images[0])
    assert np.array_equal(shown[1], 255 - images[0])
    assert "a training image" in figure.texts[1].get_text()


def test_many_classes_are_cut_and_the_note_says_so():
    images = np.zeros((200, 5, 5), np.uint8)
    names = [f"class {k}" for k in range(200)]
    figure = draw_reconstructions(images, images, np.zeros(200), np.arange(200), names)
    assert len(figure.axes[0].images) == 2 * MOST
    assert any("40 of 200 pairs" in text.get_text() for text in figure.texts)
