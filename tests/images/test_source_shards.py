"""Images in Parquet shards, in a folder or at an address of fsspec, come back as they were."""

import json

import fsspec
import numpy as np
import pytest

from stages.common.errors import InputError
from stages.common.samples_table import classes_of, labels_of
from stages.common.settings import load_params
from stages.images.source_shards import list_shards, shard_images, write_shard
from tests.remotes.conftest import s3

DRAW = np.random.default_rng(0)
IMAGES, LABELS = DRAW.integers(0, 256, (80, 28, 28), dtype=np.uint8), DRAW.integers(-1, 2, 80)
CLASSES = ["cat", "dog"]


def read(path):
    return shard_images(load_params("images").model_copy(update={"source": str(path), "pixels": 28}))


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """The address of a bucket of a real S3 server, which the environment names."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: `make test-remotes` installs it")
    with s3(tmp_path_factory.mktemp("s3")) as storage, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL", storage.settings["endpointurl"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", storage.settings["access_key_id"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", storage.settings["secret_access_key"])
        yield "s3://bucket/shards"


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.remotes)])
def listed(request, tmp_path) -> tuple[str, str]:
    """The path of a list of three shards, and the address of one of them."""
    address = {"folder": lambda: str(tmp_path), "memory": lambda: "memory://shards"}
    place = address.get(request.param, lambda: request.getfixturevalue("bucket"))()
    for name, rows in (("train-0", slice(0, 30)), ("train-1", slice(30, 60)), ("test-0", slice(60, 80))):
        write_shard(f"{place}/{name}.parquet", IMAGES[rows], LABELS[rows])
    listing = list_shards(f"{place}/train-*.parquet", f"{place}/test-*.parquet", CLASSES)
    (tmp_path / "list.json").write_text(json.dumps(listing))
    return str(tmp_path / "list.json"), f"{place}/train-1.parquet"


def test_the_same_images_and_labels_come_back(listed):
    samples, arrays = read(listed[0])
    assert np.array_equal(arrays["images"], IMAGES)
    assert np.array_equal(labels_of(samples), LABELS)
    assert classes_of(samples) == CLASSES
    assert samples["split"].tolist() == ["train"] * 60 + ["test"] * 20


def test_a_changed_or_missing_shard_is_named(listed):
    with fsspec.open(listed[1], "rb") as file:
        content = file.read()
    with fsspec.open(listed[1], "wb") as file:
        file.write(content[:-1] + b"!")
    with pytest.raises(InputError, match=r"train-1\.parquet has SHA-256 .* renew the list"):
        read(listed[0])
    files, path = fsspec.core.url_to_fs(listed[1])
    files.rm_file(path)
    with pytest.raises(InputError, match=r"train-1\.parquet is missing: bring it back"):
        read(listed[0])


@pytest.mark.parametrize("text", ["", "{}", '{"class_names": [], "train": [{}], "test": []}'])
def test_a_file_that_is_not_a_list_is_refused(tmp_path, text):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(InputError, match=r"list\.json is not a list of shards"):
        read(tmp_path / "list.json")
