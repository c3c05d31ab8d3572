"""Every parameter counts: it changes the cache key of the stages that read it, of no other, and what they write."""

import importlib
import os
import shutil
import struct
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo
from PIL import Image

from stages.common.errors import InputError
from stages.common.settings import SECTIONS, check_section
from stages.images.garments.garments import draw_garments
from tests.audit.declared import paths

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
KEYS = [f"{section}.{key}" for section, schema in SECTIONS.items() for key in schema.model_fields]

SMALL = {
    "curve": {"samples": 400, "test_samples": 100},
    "regressor": {"members": 2, "epochs": 1, "encoding_size": 16, "hidden_layers": [8, 8]},
    "images": {"drawn_train": 200, "drawn_test": 50, "root": "data/input/images/one"},
    "autoencoder": {"hidden_layers": [16], "latent_dim": 4, "epochs": 2, "channels": [4, 8]},
    "tsne": {"points": 150, "early_iterations": 20, "iterations": 20},
    "figures": {"map_pixels": 600},
}
FOLDER, LATENTS = {"source": "data/input/images/own"}, {"source": "data/input/latents/own.npz"}
NEEDS = {  # what has to be set for a parameter to count at all, as its comment in params.yaml says
    "curve.csv_test_fraction": {"source": "data/input/points/own.csv"},
    "regressor.momentum": {"optimizer": "sgd", "learning_rate": 0.001},
    "images.root": {"source": "fashion-mnist"},
    "images.size": FOLDER,
    "images.folder_test_fraction": FOLDER,
    "images.folder_broken": {"source": "data/input/images/broken"},
    "autoencoder.channels": {"architecture": "conv"},
    "latents.file_test_fraction": LATENTS,
    "latents.seed": LATENTS,
}
OTHERS = {  # values that the schema alone does not suggest
    "curve.source": "data/input/points/own.csv",
    "curve.formula": "x",
    "regressor.learning_rate": 0.01,
    "regressor.batch_size": 10,  # with fewer points than a batch holds, batches are as large as the points allow
    "images.source": "data/input/images/own",
    "images.root": "data/input/images/two",
    "autoencoder.learning_rate": 0.002,
    "latents.source": "data/input/latents/own.npz",
    "map_page.title": "Another",
    **dict.fromkeys(["autoencoder.device", "latents.device", "tsne.device"], "cuda"),
}
REFUSED = {"autoencoder.device", "latents.device", "tsne.device", "images.folder_broken"}  # one of both values fails
QUICK = ("curve.", "images.", "latents.")  # sections whose stages take milliseconds


def full_unless(quick: Callable[[str], bool]) -> list:
    """Every parameter's name; those that are not `quick` are tried by `make test-all` alone."""
    return [name if quick(name) else pytest.param(name, marks=pytest.mark.full) for name in KEYS]


def another_value(name: str, values: dict) -> object:
    """Another valid value of the parameter `section.key`, given its section's values."""
    section, key = name.split(".")
    if name in OTHERS:
        return OTHERS[name]
    value, kind = values[key], SECTIONS[section].model_fields[key].annotation
    if options := typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ():
        candidates = options
    elif isinstance(value, bool):
        candidates = [not value]
    elif isinstance(value, list):
        candidates = [[*value[:-1], value[-1] + 1]]
    else:
        candidates = [value + 1, value + 0.25, value / 2]
    return next(other for other in candidates if other != value and _is_valid(section, values | {key: other}))


def _is_valid(section: str, values: dict) -> bool:
    try:
        return bool(check_section(section, values))
    except InputError:
        return False


def run_in_process(stage: str) -> None:
    importlib.import_module(f"stages.{stage}").main()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A folder in which every stage runs on next to nothing, with every kind of input beside."""
    folder = tmp_path_factory.mktemp("small")
    values = yaml.safe_load(Path("params.yaml").read_text())
    for section, keys in SMALL.items():
        values[section].update(keys)
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    write_inputs(folder / "data/input")
    shutil.copytree("stages/figures/page", folder / "stages/figures/page")
    return folder


def run_what_it_needs(stage: str) -> None:
    """Run the stages before `stage` that have not run yet."""
    for other in GRAPH:
        made = [out for out in outs_of(other) if out in GRAPH[stage]["deps"]]
        if made and not all(Path(out).exists() for out in made):
            run_what_it_needs(other)
            run_in_process(other)


def outs_of(stage: str) -> list[str]:
    """The stage's outs without the record of what they were made from."""
    outs = paths(GRAPH[stage].get("outs", []) + GRAPH[stage].get("metrics", []))
    return [out for out in outs if not out.startswith("data/made_from/")]


def write_inputs(folder: Path) -> None:
    """Points, latents, a folder of images, one with a broken image, and two of the form of Fashion-MNIST."""
    generator = np.random.default_rng(0)
    for name in ("points", "latents", "images/own", "images/broken"):
        (folder / name).mkdir(parents=True)
    pd.DataFrame(generator.normal(size=(60, 2)), columns=["x", "y"]).to_csv(folder / "points/own.csv", index=False)
    np.savez(folder / "latents/own.npz", latents=generator.normal(size=(80, 3)))
    images, labels, _ = draw_garments(60, seed=1)
    for i, image in enumerate(images):
        for name in ("own", "broken"):
            Image.fromarray(image).save(folder / f"images/{name}/{i}.png")
    (folder / "images/broken/last.png").write_bytes(b"")
    for name, shown in (("one", images), ("two", images[::-1])):
        raw = folder / f"images/{name}/FashionMNIST/raw"
        raw.mkdir(parents=True)
        for split in ("train", "t10k"):
            header = struct.pack(">4I", 0x803, len(shown), *shown.shape[1:])
            (raw / f"{split}-images-idx3-ubyte").write_bytes(header + shown.tobytes())
            header = struct.pack(">2I", 0x801, len(labels))
            (raw / f"{split}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def written_with(folder: Path, section: str, changes: dict, stage: str) -> dict[str, bytes] | str:
    """The outs of `stage`, run in a copy of `folder` with changed parameters, or the line that it ends with."""
    copy = folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=os.link)  # stages replace files, they never change them in place
    values = yaml.safe_load((copy / "params.yaml").read_text())
    values[section].update(changes)
    (copy / "params.yaml").unlink()
    (copy / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    os.chdir(copy)
    try:
        run_in_process(stage)
    except InputError as error:
        return str(error)
    return {out: Path(out).read_bytes() for out in outs_of(stage)}


@pytest.mark.parametrize("name", full_unless(lambda name: name.startswith(QUICK)))
def test_every_parameter_has_an_effect_on_an_output(small, name, monkeypatch, count):
    monkeypatch.chdir(small)  # and back at the end
    section, key = name.split(".")
    values = yaml.safe_load((small / "params.yaml").read_text())[section] | NEEDS.get(name, {})
    other = values | {key: another_value(name, values)}
    stage = next(stage for stage, declared in GRAPH.items() if section in declared.get("params", []))
    run_what_it_needs(stage)
    before, after = (written_with(small, section, changes, stage) for changes in (values, other))
    assert before != after, f"{name} changes nothing: remove it, or say in NEEDS when it counts"
    assert name in REFUSED or not isinstance(before, str), before
    assert name in REFUSED or not isinstance(after, str), after
    count("parameters tried")


@pytest.mark.parametrize("name", full_unless(lambda name: name.endswith((".seed", ".map_pixels", ".title"))))
def test_a_parameter_changes_the_cache_key_of_the_stages_that_read_it(pipeline, name, monkeypatch, count):
    section, key = name.split(".")
    readers = [stage for stage in GRAPH if section in pipeline.seen(stage).params]
    monkeypatch.chdir(pipeline.folder)
    path = Path("params.yaml")
    before = path.read_text()
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", pipeline.environment["DVC_SITE_CACHE_DIR"])
    pipeline.set({section: {key: another_value(name, yaml.safe_load(before)[section] | NEEDS.get(name, {}))}})
    with Repo() as repo:
        status = repo.status()
    path.write_text(before)
    assert status == {stage: [{"changed deps": {"params.yaml": {section: "modified"}}}] for stage in readers}
    count("cache keys compared", len(GRAPH))
