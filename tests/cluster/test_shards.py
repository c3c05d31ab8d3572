"""Images from Parquet shards are those that were put in, and give what they give from memory."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import numpy as np
import pandas as pd
import pytest

from stages.common import artifacts
from stages.common.errors import InputError
from stages.common.samples import COLUMNS, labels_of
from stages.common.settings import load_params
from stages.images.garments.garments import CLASS_NAMES
from stages.images.source_drawn import drawn_images
from stages.images.source_shards import list_shards, shard_images, write_shard
from tests.conftest import Clone
from tests.remotes.conftest import s3

PARAMS = load_params("images").model_copy(update={"train_samples": 250, "test_samples": 60})
SAMPLES, ARRAYS = drawn_images(PARAMS)
ROWS = {"train": slice(250), "test": slice(250, None)}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Iterator[str]:
    """A bucket of a real S3 server; the environment names the server, as a user's does."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: `make test-remotes` installs it")
    with s3(tmp_path_factory.mktemp("s3")) as storage, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", storage.settings["endpointurl"])
        patch.setenv("AWS_ACCESS_KEY_ID", storage.settings["access_key_id"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", storage.settings["secret_access_key"])
        yield "s3://bucket/shards"


@pytest.fixture
def web(tmp_path) -> Iterator[str]:
    """A web server that shows the folder."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as served:
        Thread(target=served.serve_forever).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture(params=["folder", "file", "memory", "s3", "web"])
def listed(request, tmp_path) -> tuple[str, str]:
    """The path of a list of shards of the drawn images, and where one of them lies, to be written to."""
    kept = address = str(tmp_path)
    if request.param in ("s3", "memory"):
        kept = address = request.getfixturevalue("bucket") if request.param == "s3" else "memory://shards"
    elif request.param == "file":
        address = tmp_path.as_uri()
    elif request.param == "web":
        address = request.getfixturevalue("web")
    for split, number in (("train", 3), ("test", 1)):
        images = np.array_split(ARRAYS["images"][ROWS[split]], number)
        for i, labels in enumerate(np.array_split(labels_of(SAMPLES)[ROWS[split]], number)):
            write_shard(f"{kept}/{split}-{i}.parquet", images[i], labels)
    found = list_shards(f"{address}/train-*.parquet", f"{address}/test-*.parquet", list(CLASS_NAMES))
    kind = address.partition("://")[0] if "://" in address else "file"
    assert {entry["path"].partition("://")[0] for entry in found["train"] + found["test"]} == {kind}
    (tmp_path / "list.json").write_text(json.dumps(found))
    return str(tmp_path / "list.json"), f"{kept}/train-1.parquet"


def test_the_same_images_as_in_memory(listed):
    samples, arrays = shard_images(PARAMS.model_copy(update={"source": listed[0]}))
    assert (arrays["images"] == ARRAYS["images"]).all()
    pd.testing.assert_frame_equal(samples, SAMPLES[list(COLUMNS)])


def test_other_bytes_than_the_list_says_are_refused(listed):
    with fsspec.open(listed[1], "rb") as file:
        content = file.read()
    with fsspec.open(listed[1], "wb") as file:
        file.write(content[:-1] + b"!")
    with pytest.raises(InputError, match=r"train-1\.parquet has SHA-256 .* renew the list"):
        shard_images(PARAMS.model_copy(update={"source": listed[0]}))


def test_a_missing_shard_is_named(listed):
    files, path = fsspec.core.url_to_fs(listed[1])
    files.rm_file(path)
    with pytest.raises(InputError, match=r"train-1\.parquet is missing: bring it back"):
        shard_images(PARAMS.model_copy(update={"source": listed[0]}))


def test_a_stage_reads_shards_from_s3(pipeline, bucket, tmp_path, count):
    """As a user does it: the list by its command, the stage by its own; then the same from a folder, and a fault."""
    folder = tmp_path / "fitmap"
    clone = Clone(folder)  # with the environment that `bucket` has set
    pipeline.run("git", "clone", "-q", ".", str(folder))
    made = {}
    for place in (f"{bucket}/stage", str(tmp_path / "here")):
        Path(tmp_path / "here").mkdir(exist_ok=True)
        for split in ("train", "test"):
            images, labels = (values[ROWS[split]] for values in (ARRAYS["images"], labels_of(SAMPLES)))
            write_shard(f"{place}/{split}-0.parquet", images, labels)
        patterns = [f"{place}/{split}-*.parquet" for split in ("train", "test")]
        listing = clone.run(sys.executable, "-m", "stages.images.source_shards", *patterns, *map(str, CLASS_NAMES))
        (folder / "data/input/images/list.json").write_text(listing)
        clone.set({"images": {"source": "data/input/images/list.json"}})
        clone.run(sys.executable, "-m", "stages.images.load_images")
        made[place] = (folder / "data/images.npz").read_bytes()
        if "://" in place:
            remote = listing
    assert len(set(made.values())) == 1
    (folder / "data/input/images/list.json").write_text(remote)
    files, path = fsspec.core.url_to_fs(f"{bucket}/stage/train-0.parquet")
    files.rm_file(path)
    printed = clone.run(sys.executable, "-m", "stages.images.load_images", fails=True)
    assert "train-0.parquet is missing: bring it back, or renew the list\n" in printed
    assert "Traceback" not in printed
    count("cluster: stages fed from S3")


@pytest.mark.parametrize("text", ["", "{}", '{"class_names": [], "train": [{}], "test": []}'])
def test_what_is_not_a_list_is_refused(tmp_path, text):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(InputError, match=r"list\.json is not a list of shards"):
        shard_images(PARAMS.model_copy(update={"source": str(tmp_path / "list.json")}))


def test_large_images_stay_in_their_file(tmp_path, monkeypatch):
    path = tmp_path / "images.npz"
    artifacts.write_arrays(str(path), images=ARRAYS["images"], labels=labels_of(SAMPLES))
    monkeypatch.setattr(artifacts, "MOST_IN_MEMORY", 1000)
    arrays = artifacts.read_arrays(str(path))
    assert isinstance(arrays["images"].base, np.memmap)
    assert (arrays["images"] == ARRAYS["images"]).all()
    assert (arrays["labels"] == labels_of(SAMPLES)).all()
    damaged = bytearray(path.read_bytes())
    damaged[100_000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="is damaged"):
        artifacts.read_arrays(str(path))
