import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.images.sources import drawn_images, fashion_mnist_images, folder_images, read_image

PARAMS = load_params("images")
REAL = Path("../shared/fashion-mnist")


def save(path, size=(40, 30), mode="RGB", level=200):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, level, (size[1], size[0], 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").convert(mode).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for i in range(30):
        save(tmp_path / "photos" / "boots" / f"{i}.png")
        save(tmp_path / "photos" / "bags" / "deep" / f"{i}.jpg")
    return tmp_path / "photos"


def read(folder, **changes):
    return folder_images(PARAMS.model_copy(update={"source": str(folder), **changes}))


def test_drawn_images_are_as_many_as_asked_and_train_is_not_test():
    images = drawn_images(PARAMS.model_copy(update={"drawn_train": 120, "drawn_test": 50}))
    assert images.train_images.shape == (120, 28, 28)
    assert images.train_images.dtype == np.uint8
    assert images.test_factors.shape == (50, len(images.factor_names))
    assert list(images.class_names[[1, 9]]) == ["Trouser", "Ankle boot"]
    assert not {image.tobytes() for image in images.train_images} & {image.tobytes() for image in images.test_images}


def test_the_first_subfolder_is_the_class(folder):
    images = read(folder, size=20)
    assert list(images.class_names) == ["bags", "boots"]
    assert images.train_images.shape == (48, 20, 20)
    assert images.test_images.shape == (12, 20, 20)
    labels = np.concatenate([images.train_labels, images.test_labels])
    assert np.bincount(labels).tolist() == [30, 30]
    assert np.bincount(images.train_labels[:24]).min() > 3, "classes must be mixed, a map takes the first ones"
    assert images.train_factors.shape == (48, 0)


def test_images_without_subfolders_have_no_class(tmp_path):
    for i in range(50):
        save(tmp_path / f"{i}.png")
    images = read(tmp_path)
    assert (images.train_labels == -1).all()
    assert len(images.class_names) == 0


def test_every_mode_becomes_grey_whole_and_upright(tmp_path):
    for i in range(50):
        save(tmp_path / f"{i}.png")
    white = np.full((10, 20), 255, np.uint8)
    Image.fromarray(white).save(tmp_path / "wide.png")
    Image.fromarray(white.astype(np.uint16) * 257).save(tmp_path / "sixteen.png")
    clear = Image.new("RGBA", (20, 10), (255, 255, 255, 0))
    clear.save(tmp_path / "clear.png")
    rotated = Image.fromarray(white)
    exif = rotated.getexif()
    exif[0x0112] = 6  # to be shown turned by a quarter
    rotated.save(tmp_path / "turned.jpg", exif=exif)
    for mode in ("L", "P", "1", "CMYK"):
        save(tmp_path / f"mode{mode}.{'tif' if mode == 'CMYK' else 'png'}", mode=mode)

    wide = read_image(tmp_path / "wide.png", tmp_path, 28)
    assert (wide[7:21] == 255).all()
    assert (wide[:7] == 0).all()
    assert (wide[21:] == 0).all()
    np.testing.assert_array_equal(read_image(tmp_path / "sixteen.png", tmp_path, 28), wide)
    assert not read_image(tmp_path / "clear.png", tmp_path, 28).any()
    turned = read_image(tmp_path / "turned.jpg", tmp_path, 28)
    assert (turned[:, 8:20] > 200).all()
    assert (turned[:, :6] < 50).all()
    assert len(read(tmp_path).train_images) == 46


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_a_broken_image_is_named_and_refused_or_skipped(folder, content):
    broken = folder / "boots" / "broken.png"
    broken.write_bytes(content)
    with pytest.raises(InputError, match=r"boots/broken\.png cannot be read.*folder_broken to skip"):
        read(folder)
    assert len(read(folder, folder_broken="skip").train_images) == 48


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named_and_refused_or_skipped(folder):
    (folder / "boots" / "0.png").chmod(0)
    with pytest.raises(InputError, match=r"boots/0\.png cannot be read.*folder_broken to skip"):
        read(folder)
    assert len(read(folder, folder_broken="skip").train_images) == 47


def test_a_truncated_image_and_a_link_out_of_the_folder_are_refused(folder, tmp_path):
    whole = (folder / "boots" / "0.png").read_bytes()
    (folder / "boots" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.png"):
        read(folder)
    (folder / "boots" / "cut.png").unlink()
    (folder / "boots" / "link.png").symlink_to(save(tmp_path / "outside.png"))
    with pytest.raises(InputError, match=r"link\.png is a link out of"):
        read(folder)


def test_other_files_and_hidden_ones_are_left_alone(folder):
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / ".trash").mkdir()
    (folder / ".trash" / "old.png").write_bytes(b"")
    assert list(read(folder).class_names) == ["bags", "boots"]


def test_a_missing_folder_and_too_few_images_are_named(tmp_path):
    with pytest.raises(InputError, match=r"images\.source = .* is no folder: use drawn, fashion-mnist"):
        read(tmp_path / "fashion_mnist")
    save(tmp_path / "one.png")
    with pytest.raises(InputError, match="holds 1 readable images, at least 50"):
        read(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real Fashion-MNIST images in ../shared/fashion-mnist")
def test_real_fashion_mnist_is_read_as_it_is():
    images = fashion_mnist_images(str(REAL))
    assert images.train_images.shape == (7000, 28, 28)
    assert images.test_images.shape == (3500, 28, 28)
    assert list(images.class_names[[0, 9]]) == ["T-shirt/top", "Ankle boot"]
    assert np.bincount(images.test_labels, minlength=10).min() > 300


def test_damaged_or_unreachable_fashion_mnist_says_what_to_do(tmp_path, monkeypatch):
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nothing listens: no network in a test
    with pytest.raises(InputError, match=r"neither in .* nor can be downloaded .* images\.root"):
        fashion_mnist_images(str(tmp_path))
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"\0\0\x08\x03garbage")
    with pytest.raises(InputError, match=r"images\.root"):
        fashion_mnist_images(str(tmp_path))
