"""Images from Parquet shards are those that were put in, and give what they give from memory."""

import json
from pathlib import Path

import fsspec
import numpy as np
import pytest

from stages.latents.garments import CLASS_NAMES
from stages.latents.images import drawn_images
from stages.latents.shards import list_shards, shard_images, write_shard
from stages.pipeline import artifacts
from stages.pipeline.errors import InputError
from stages.pipeline.params import load_params

PARAMS = load_params("images").model_copy(update={"drawn_train": 250, "drawn_test": 60})
DRAWN = drawn_images(PARAMS)


@pytest.fixture(params=["memory://shards", "folder"])
def listed(request, tmp_path) -> str:
    """The path of a list of shards of the drawn images: beside it, or at another address."""
    here = request.param == "folder"
    place = str(tmp_path) if here else request.param
    for split, number in (("train", 3), ("test", 1)):
        images = np.array_split(getattr(DRAWN, f"{split}_images"), number)
        for i, labels in enumerate(np.array_split(getattr(DRAWN, f"{split}_labels"), number)):
            write_shard(f"{place}/{split}-{i}.parquet", images[i], labels)
    (tmp_path / "list.json").write_text(
        json.dumps(list_shards(f"{place}/train-*.parquet", f"{place}/test-*.parquet", list(CLASS_NAMES)))
    )
    return str(tmp_path / "list.json")


def test_the_same_images_as_in_memory(listed):
    images = shard_images(PARAMS.model_copy(update={"source": listed}))
    for name in ("train_images", "test_images", "train_labels", "test_labels", "class_names"):
        assert (getattr(images, name) == getattr(DRAWN, name)).all()


def test_other_bytes_than_the_list_says_are_refused(listed):
    path = json.loads(Path(listed).read_text())["train"][1]["path"]
    with fsspec.open(path, "ab") as file:
        file.write(b"!")
    with pytest.raises(InputError, match=r"train-1\.parquet has SHA-256 .* renew the list"):
        shard_images(PARAMS.model_copy(update={"source": listed}))


@pytest.mark.parametrize("text", ["", "{}", '{"class_names": [], "train": [{}], "test": []}'])
def test_what_is_no_list_is_refused(tmp_path, text):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(InputError, match=r"list\.json is no list of shards"):
        shard_images(PARAMS.model_copy(update={"source": str(tmp_path / "list.json")}))


def test_large_images_stay_in_their_file(tmp_path, monkeypatch):
    path = tmp_path / "images.npz"
    artifacts.write_arrays(str(path), images=DRAWN.train_images, labels=DRAWN.train_labels)
    monkeypatch.setattr(artifacts, "MOST_IN_MEMORY", 1000)
    arrays = artifacts.read_arrays(str(path))
    assert isinstance(arrays["images"].base, np.memmap)
    assert (arrays["images"] == DRAWN.train_images).all()
    assert (arrays["labels"] == DRAWN.train_labels).all()
    damaged = bytearray(path.read_bytes())
    damaged[100_000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="is damaged"):
        artifacts.read_arrays(str(path))
