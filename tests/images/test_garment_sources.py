from pathlib import Path

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.common.samples_table import classes_of, columns_of, is_train, labels_of
from stages.common.settings import load_params
from stages.images.source_drawn import drawn_images
from stages.images.source_fashion_mnist import fashion_mnist_images

PARAMS = load_params("images")
REAL = Path("../shared/fashion-mnist")


def test_drawn_images_have_their_factors_as_columns():
    samples, arrays = drawn_images(PARAMS.model_copy(update={"train_samples": 120, "test_samples": 50}))
    images, train = arrays["images"], is_train(samples)
    assert images.shape == (170, 28, 28)
    assert images.dtype == np.uint8
    assert (train == (np.arange(170) < 120)).all()
    assert [classes_of(samples)[i] for i in (1, 9)] == ["Trouser", "Ankle boot"]
    assert columns_of(samples).dtypes.eq("float32").all()
    assert not {image.tobytes() for image in images[train]} & {image.tobytes() for image in images[~train]}
    size, ground, extent = arrays["framing"]
    assert (size, ground) == (28, 0)
    assert 20 <= extent <= 26


@pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist")
def test_real_fashion_mnist_is_read_as_it_is():
    samples, arrays = fashion_mnist_images(str(REAL))
    assert arrays["images"].shape == (10500, 28, 28)
    assert is_train(samples).sum() == 7000
    assert classes_of(samples)[9] == "Ankle boot"
    assert np.bincount(labels_of(samples)[7000:], minlength=10).min() > 300
    assert "framing" in arrays


def test_fashion_mnist_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nothing listens: no network in a test
    with pytest.raises(InputError, match=r"is not in .* cannot be downloaded .* images\.root"):
        fashion_mnist_images(str(tmp_path))
