"""`fitmap place` on small finished maps: of garments, of photographs in colour and of vectors."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from commands.fitmap import main
from stages.autoencoder.training import arrays_of, reconstruct, train
from stages.common.artifacts import write_arrays, write_csv, write_json, write_weights
from stages.common.samples_table import is_train, write_samples
from stages.common.settings import load_params
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.images.source_drawn import drawn_images
from stages.images.source_folder import folder_images
from stages.images.source_vectors import vector_latents, vector_samples

IMAGES, LABELS, _ = draw_garments(12, seed=77)
SETTINGS = yaml.safe_load(Path("params.yaml").read_text())
REVIEW = ["kind", "file_name", "split", "label", "why", "score", "other_file_name", "suggestion"]
SMALL = {
    "images": {"train_samples": 400, "test_samples": 10},
    "autoencoder": {"hidden_layers": [64], "latent_dim": 8, "epochs": 6, "architecture": "dense"},
}


def start(folder: Path, monkeypatch, **changes: dict) -> None:
    """Go to an empty project in `folder` with small settings."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    values = dict(SETTINGS)
    for name in {*SMALL, *changes}:
        values[name] = values[name] | SMALL.get(name, {}) | changes.get(name, {})
    Path("params.yaml").write_text(yaml.safe_dump(values))


def finish(samples: pd.DataFrame, pictures: dict, latents: dict) -> None:
    """Write a finished map; where its points lie does not matter for placing, so their first latents will do."""
    write_samples(samples)
    write_arrays("data/images.npz", **pictures)
    write_arrays("data/latents.npz", **latents)
    mapped, placed = (np.flatnonzero(rows) for rows in (is_train(samples), ~is_train(samples)))
    flat = np.ascontiguousarray(10 * latents["latents"][:, :2])
    positions = {"positions": flat[mapped], "placed": flat[placed]}
    write_csv("plots/groups.csv", pd.DataFrame(columns=["group", "told_by"]))
    write_csv("plots/map_points.csv", samples.iloc[mapped].assign(group=-1, group_rank=0))
    write_csv("plots/review.csv", pd.DataFrame(columns=REVIEW))
    for name in ("latents", "map"):
        write_json(f"metrics/{name}.json", {"points": len(mapped)})
    write_arrays("data/map.npz", mapped=mapped, placed_rows=placed, kl_divergence=np.float64(1), **positions)


def autoencode(samples: pd.DataFrame, pictures: dict) -> dict[str, np.ndarray]:
    """Train a small autoencoder, and return what it makes of all images."""
    network, _ = train(pictures["images"][: is_train(samples).sum()], load_params("autoencoder"), "cpu")
    write_weights("data/autoencoder.safetensors", network.architecture, arrays_of(network))
    names = ("latents", "reconstructions", "errors")
    return dict(zip(names, reconstruct(network, pictures["images"], "cpu"), strict=True))


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as context:
        yield context


@pytest.fixture(scope="module")
def garments(tmp_path_factory, patch):
    folder = tmp_path_factory.mktemp("garments")
    start(folder, patch)
    samples, pictures = drawn_images(load_params("images"))
    finish(samples, pictures, autoencode(samples, pictures))
    return folder


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


@pytest.fixture
def place(monkeypatch, capfd):
    """Call `fitmap place` in a project's folder; returns stdout and stderr."""

    def run(folder, *arguments, fails=False):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["fitmap", "place", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert bool(ended.value.code) == fails, printed.err
        return printed.out, printed.err

    return run


def test_a_folder_is_placed_and_drawn(garments, new, place):
    printed, _ = place(garments, new)
    lines = [line for line in printed.splitlines() if line.startswith(str(new))]
    assert len(lines) == 12
    assert "%; nearest " in lines[0]
    assert "; mean distance to " in lines[0]
    with Image.open(garments / "plots/placed.png") as picture:
        assert min(picture.size) > 1000


def test_json_holds_all_that_is_known_alone_and_in_company(garments, new, place, tmp_path):
    files = sorted(new.rglob("*.png"))
    entries = json.loads(place(garments, *files, "--json")[0])
    assert [entry["file_name"] for entry in entries] == [str(file) for file in files]
    mapped = set(pd.read_parquet(garments / "data/samples.parquet")["file_name"][:400])
    for entry in entries:
        assert len(entry["position"]) == 2
        assert set(entry["classes"]) <= set(CLASS_NAMES)
        assert sum(entry["classes"].values()) == pytest.approx(1)
        assert len(entry["neighbours"]) == 10
        assert set(entry["neighbours"]) <= mapped
        assert entry["distance"] == pytest.approx(np.mean(entry["neighbour_distances"]))
        assert 0 <= entry["farther_than"] <= 1
        assert 0 < entry["reconstruction_error"] < 1
        assert entry["off_map"] == bool(entry["warnings"])
    right = [CLASS_NAMES[int(entry["file_name"][-5])] in list(entry["classes"])[:2] for entry in entries]
    assert np.mean(right) >= 0.7
    (alone,) = json.loads(place(garments, files[5], "--json", "--picture", tmp_path / "own.png")[0])
    assert [alone[key] for key in ("file_name", "neighbours", "warnings")] == [
        entries[5][key] for key in ("file_name", "neighbours", "warnings")
    ]
    assert alone["position"] == pytest.approx(entries[5]["position"], rel=1e-4)  # a product's bits depend on its shape
    assert (tmp_path / "own.png").stat().st_size > 10_000


def header_of(page: Path) -> dict:
    """Return the header of a page of the map."""
    return json.loads(re.search(r'id="header">(.*?)</script>', page.read_text())[1])


def test_a_page_shows_the_new_images_and_links_to_them(garments, new, place, tmp_path):
    Image.new("L", (40, 40), 128).save(new / "empty.png")
    place(garments, new, "--json", "--page", tmp_path / "out.html")
    header = header_of(tmp_path / "out.html")
    assert header["mapped"] == 400
    assert header["stored"] == 413
    assert header["newShown"]
    assert header["newName"] == "New images"
    assert header["folders"] == ["", "file://"]
    assert [warning for warning in header["warnings"].values() if "nothing stands out" in warning]


def test_new_images_bring_the_columns_and_classes_of_their_folder(garments, new, place, tmp_path):
    rows = "".join(f"{file.relative_to(new)},shop {k % 2}\n" for k, file in enumerate(sorted(new.rglob("*.png"))))
    (new / "metadata.csv").write_text("file_name,bought\n" + rows)
    place(garments, new, "--json", "--page", tmp_path / "out.html")
    header = header_of(tmp_path / "out.html")
    assert {column["name"]: column.get("categories") for column in header["columns"]}["bought"] == ["shop 0", "shop 1"]
    assert header["classNames"] == [*CLASS_NAMES, "deep", "shoes"]


def test_unreadable_and_empty_images_are_named_and_the_others_placed(garments, new, place):
    (new / "broken.png").write_bytes(b"no image")
    Image.new("RGB", (300, 200), "white").save(new / "empty.png")
    printed, errors = place(garments, new, new / "missing.png", fails=True)
    assert printed.count("; mean distance to ") == 13
    assert "warning: off the map: nothing stands out of its ground" in printed
    assert f"fitmap: {new}/broken.png cannot be read as an image" in errors
    assert f"fitmap: {new}/missing.png cannot be read as an image" in errors
    assert "fitmap: 2 of 15 images could not be read" in errors.splitlines()


def test_an_empty_folder_is_one_line(garments, place, tmp_path):
    assert place(garments, tmp_path, fails=True)[1].strip().endswith(f"fitmap: no images in {tmp_path}")


def test_photographs_in_colour_find_those_of_their_colour(place, monkeypatch, tmp_path):
    """The new files have another size, mode and format than the training images."""
    generator, tones = np.random.default_rng(0), {"red": (200, 40, 40), "blue": (40, 40, 200)}

    def photograph(tone: tuple[int, int, int], side: int) -> Image.Image:
        noise = generator.normal(0, 25, (side, side, 3)) + tone
        return Image.fromarray(noise.clip(0, 255).astype(np.uint8))

    for name, tone in tones.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(40):
            photograph(tone, 24).save(tmp_path / "photos" / name / f"{i:02}.png")
        photograph(tone, 90).resize((120, 90)).convert("CMYK").save(tmp_path / f"new {name}.tif")
    start(tmp_path / "project", monkeypatch, images={"source": str(tmp_path / "photos"), "pixels": 16})
    samples, pictures = folder_images(load_params("images"))
    assert pictures["images"].shape[1:] == (16, 16, 3)
    finish(samples, pictures, autoencode(samples, pictures))
    printed, _ = place(tmp_path / "project", tmp_path / "new red.tif", tmp_path / "new blue.tif", "--json")
    assert [next(iter(entry["classes"])) for entry in json.loads(printed)] == ["red", "blue"]
    assert {name.split("/")[0] for name in json.loads(printed)[0]["neighbours"]} == {"red"}


def write_songs(path: Path, rows: slice) -> pd.DataFrame:
    """Write songs of three genres as columns of numbers of very different scale, with text beside them."""
    generator = np.random.default_rng(0)
    genre = generator.integers(0, 3, 200)
    numbers = (generator.normal(size=(200, 5)) + 6 * generator.normal(size=(3, 5))[genre]) * [0.01, 1, 100, 10, 1]
    table = pd.DataFrame(numbers, columns=["tempo", "energy", "loudness", "length", "valence"])
    table["title"] = [f"Song {i} of {'abc'[g]}" for i, g in enumerate(genre)]
    table["label"] = np.array(["jazz", "pop", "folk"])[genre]
    table.iloc[rows].to_csv(path, index=False)
    return table.iloc[rows]


@pytest.fixture(scope="module")
def songs(tmp_path_factory, patch):
    folder = tmp_path_factory.mktemp("songs")
    write_songs(folder / "songs.csv", slice(0, 160))
    start(folder, patch, latents={"source": "songs.csv", "scale": "standard", "test_fraction": 0})
    samples, pictures = vector_samples(load_params("latents"), load_params("images"))
    finish(samples, pictures, vector_latents(load_params("latents")))
    write_weights("data/autoencoder.safetensors", {}, {})
    return folder


def test_a_table_of_vectors_is_placed_row_by_row_with_the_names_it_gives(songs, place, tmp_path):
    told = write_songs(tmp_path / "new.csv", slice(160, 200))
    entries = json.loads(place(songs, tmp_path / "new.csv", "--json")[0])
    assert [entry["file_name"] for entry in entries] == told["title"].tolist()
    assert [next(iter(entry["classes"])) for entry in entries] == told["label"].tolist()
    assert "reconstruction_error" not in entries[0]
    assert all(name.startswith("Song ") for name in entries[0]["neighbours"])
    assert np.mean([entry["off_map"] for entry in entries]) < 0.2
    told.iloc[5:6].drop(columns="label").to_parquet(tmp_path / "one.parquet")
    (alone,) = json.loads(place(songs, tmp_path / "one.parquet", "--json")[0])
    assert alone == entries[5]
    printed, _ = place(songs, tmp_path / "new.csv")
    assert printed.splitlines()[0].startswith(told["title"].iloc[0])
    assert (songs / "plots/placed.png").stat().st_size > 10_000
    place(songs, tmp_path / "new.csv", "--json", "--page", tmp_path / "out.html")
    header = header_of(tmp_path / "out.html")
    assert (header["mapped"], header["stored"], header["newName"]) == (160, 200, "New rows")
    assert "title" in [column["name"] for column in header["columns"]]


def test_arrays_without_names_are_taken_in_order(songs, place, tmp_path):
    told = write_songs(tmp_path / "new.csv", slice(160, 170))
    numbers = told.drop(columns=["title", "label"]).to_numpy()
    np.savez(tmp_path / "new.npz", latents=numbers)
    entries = json.loads(place(songs, tmp_path / "new.npz", "--json")[0])
    named = json.loads(place(songs, tmp_path / "new.csv", "--json")[0])
    assert [entry["position"] for entry in entries] == [entry["position"] for entry in named]
    assert entries[0]["file_name"] == "row 1"


def test_a_table_without_a_column_of_the_map_and_a_file_that_is_none_are_refused(songs, place, tmp_path):
    write_songs(tmp_path / "new.csv", slice(160, 170)).drop(columns="tempo").to_csv(tmp_path / "less.csv", index=False)
    assert "less.csv lacks column 'tempo'" in place(songs, tmp_path / "less.csv", fails=True)[1]
    Image.new("L", (9, 9)).save(tmp_path / "image.png")
    assert "image.png is no table of vectors (.parquet, .csv" in place(songs, tmp_path / "image.png", fails=True)[1]
