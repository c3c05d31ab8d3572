"""`fitmap place` on the tiny pipeline's models."""

import json

import numpy as np
import pytest
from PIL import Image

from stages.images.garments.garments import CLASS_NAMES, draw_garments
from tests.forks import fitmap

IMAGES, LABELS, _ = draw_garments(12, seed=77)


@pytest.fixture
def new(tmp_path):
    """Garments as files of several kinds, in nested folders."""
    for i, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        path = tmp_path / "new" / ("shoes" if label in (5, 7, 9) else "deep/others") / f"{i:02}_{label}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image)
        if i % 3 == 0:
            picture = Image.fromarray(255 - image).convert("RGB").resize((200, 200), Image.Resampling.BICUBIC)
        picture.save(path)
    return tmp_path / "new"


def place(pipeline, *arguments, fails=False):
    return pipeline.fork(fitmap, "place", *map(str, arguments), fails=fails)


def test_a_folder_is_placed_and_drawn(pipeline, new):
    printed = place(pipeline, new)
    lines = [line for line in printed.splitlines() if line.startswith(str(new))]
    assert len(lines) == 12
    assert "%; distance " in lines[0]
    with Image.open(pipeline.folder / "plots/placed.png") as picture:
        assert min(picture.size) > 1000
    assert pipeline.run("git", "status", "--porcelain") == ""
    assert pipeline.repro() == [], "placing changes nothing that DVC watches"


def test_json_holds_all_that_is_known(pipeline, new, tmp_path):
    files = sorted(new.rglob("*.png"))
    entries = json.loads(place(pipeline, *files, "--json"))
    assert [entry["image"] for entry in entries] == [str(file) for file in files]
    for entry in entries:
        assert len(entry["position"]) == 2
        assert set(entry["kinds"]) <= set(CLASS_NAMES)
        assert sum(entry["kinds"].values()) == pytest.approx(1)
        assert len(entry["neighbours"]) == 10
        assert 0 <= entry["farther_than"] <= 1
        assert entry["off_map"] == bool(entry["warnings"])
    right = [CLASS_NAMES[int(entry["image"][-5])] in list(entry["kinds"])[:2] for entry in entries]
    assert np.mean(right) >= 0.7
    (alone,) = json.loads(place(pipeline, files[5], "--json", "--picture", tmp_path / "own.png"))
    assert alone == entries[5]
    assert (tmp_path / "own.png").stat().st_size > 10_000


def test_an_empty_image_is_warned_of(pipeline, tmp_path):
    Image.new("RGB", (300, 200), "white").save(tmp_path / "empty.png")
    assert "warning: off the map: nothing stands out of its ground" in place(pipeline, tmp_path / "empty.png")


def test_unreadable_files_are_named_and_the_others_placed(pipeline, new):
    (new / "broken.png").write_bytes(b"no image")
    printed = place(pipeline, new, new / "missing.png", fails=True)
    assert printed.count("; distance ") == 12
    assert f"fitmap: {new}/broken.png cannot be read as an image" in printed
    assert f"fitmap: {new}/missing.png cannot be read as an image" in printed
    assert "fitmap: 2 of 14 images could not be read" in printed.splitlines()
    assert "Traceback" not in printed


def test_an_empty_folder_is_one_line(pipeline, tmp_path):
    assert place(pipeline, tmp_path, fails=True).strip() == f"fitmap: no images in {tmp_path}"
