"""`fitmap place`: place new images or vectors on the finished map, and say what each is like."""

import contextlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from commands.place_picture import draw_placed
from stages.autoencoder.training import choose_device, network_from, reconstruct
from stages.common.artifacts import read_arrays, read_csv, read_json, read_weights, rows_of, write_bytes, write_text
from stages.common.errors import InputError
from stages.common.samples_table import make_samples, read_samples
from stages.common.settings import VECTOR_FILES, load_params, map_params
from stages.figures.style import png_bytes, shorten
from stages.images.images_to_place import read_like_training
from stages.images.metadata_tables import classes_of_text
from stages.images.source_folder import describe_files, list_images
from stages.images.source_vectors import VectorTable, read_vectors, row_names, scale_vectors
from stages.latents.encode_new_rows import (
    Encode,
    FinishedMap,
    Placed,
    classes_near,
    finish_map,
    place_images,
    place_vectors,
)
from stages.latents.torchvision_encoder import load_encoder
from stages.page.map_page import Points
from stages.page.page_from_artifacts import folder_url, keep_columns, page_from_artifacts

PICTURE = Path("plots/placed.png")
PAGE_NEIGHBOURS = 8  # as the page lists them for all other points


def place(paths: list[Path], picture: Path | None, page: Path | None, as_json: bool) -> None:
    """Place image files or tables of vectors, print what each row is like, and draw the map with them.

    Files that cannot be read are named on stderr and left out; the exit status is 1 then.
    """
    finished, unreadable = read_finished_map(), 0
    with contextlib.redirect_stdout(sys.stderr):  # so that stdout is JSON alone
        if load_params("latents").is_file:
            known, placed = place_tables(paths, finished)
        else:
            known, placed, unreadable = place_files(paths, finished)
    if placed:
        entries, written = describe(known["file_name"].tolist(), placed, finished), []
        print(json.dumps(entries, indent=2) if as_json else "\n".join(map(sentence, entries)))
        if picture or not as_json:
            write_bytes(str(picture or PICTURE), png_bytes(draw_placed(finished, placed, list(map(caption, entries)))))
            written.append(f"the map with them: {picture or PICTURE}")
        if page:
            write_text(str(page), interactive(known, placed, page))
            written.append(f"the map to explore: {page}")
        if not as_json:
            print("\n".join(written))
    if unreadable:
        raise InputError(f"{unreadable} of {unreadable + len(known)} images could not be read")


def read_finished_map() -> FinishedMap:
    """Return the map that the pipeline made."""
    samples, tsne, arrays = read_samples(), read_arrays("data/map.npz"), read_arrays("data/latents.npz")
    pictures, mapped = read_arrays("data/images.npz"), tsne["mapped"]
    images = rows_of(pictures["images"], mapped) if len(pictures["images"]) else None
    errors = arrays["errors"][mapped] if "errors" in arrays else None
    framed = "framing" in pictures
    return finish_map(samples.iloc[mapped], arrays["latents"][mapped], tsne["positions"], images, errors, framed)


def place_files(paths: list[Path], finished: FinishedMap) -> tuple[pd.DataFrame, Placed | None, int]:
    """Place the readable image files among `paths` and below the folders there.

    Returns a table of what is known of them beforehand (`file_name`, `label`, columns), what the map says of them, and
    how many files could not be read.
    """
    pictures, fit = read_arrays("data/images.npz"), load_params("images.fit")
    known = pd.concat(map(known_files, paths), ignore_index=True)
    images, strange, read = [], [], []
    for row, file in enumerate(known["file_name"]):
        try:
            image, warnings = read_like_training(Path(file), pictures, fit)
        except InputError as error:
            print(f"fitmap: {error}", file=sys.stderr)
            continue
        read.append(row)
        images.append(image)
        strange.append(warnings)
    if known.empty:
        raise InputError(f"no images in {', '.join(map(str, paths))}")
    placed = place_images(np.stack(images), strange, read_encoder(), finished) if images else None
    return known.iloc[read], placed, len(known) - len(read)


def known_files(path: Path) -> pd.DataFrame:
    """Return what is known of the file `path`, or of the image files below it: its name, class and metadata."""
    files = list_images(path) if path.is_dir() else []
    if not files:
        return pd.DataFrame({"file_name": [] if path.is_dir() else [str(path)], "label": None})
    table, rows = describe_files(files, path, "label")
    label = load_params("images.label")
    if label != "label" and label in table:
        table["label"] = table.pop(label)
    table = table.set_index(pd.Index(rows)).reindex(range(len(files)))  # with the files in none of the splits
    return table.drop(columns="split").assign(file_name=[str(path / file) for file in files])


def read_encoder() -> Encode:
    """Return the encoder that made `data/latents.npz`."""
    params, device = load_params("latents"), load_params("device")
    if params.source == "autoencoder":
        network = network_from(*read_weights("data/autoencoder.safetensors"))
        return lambda images: reconstruct(network, images, device)
    encoder = load_encoder(params.source, params.weights)
    made_by = json.loads(str(read_arrays("data/latents.npz")["encoder"]))
    if made_by["sha256"] != encoder.description["sha256"]:
        raise InputError(
            f"latents.weights are not those that made data/latents.npz ({made_by['model']}, {made_by['weights']}): "
            "run `dvc repro`"
        )
    return lambda images: (encoder.encode(images, choose_device(device)), None, None)


def place_tables(paths: list[Path], finished: FinishedMap) -> tuple[pd.DataFrame, Placed]:
    """Place the rows of tables of vectors.

    Returns a table of what is known of them beforehand (`file_name`, `label`, columns), and what the map says of them.
    """
    params, arrays = load_params("latents"), read_arrays("data/latents.npz")
    known, vectors = [], []
    for path in paths:
        if not path.is_file() or path.suffix.lower() not in VECTOR_FILES:
            raise InputError(
                f"{path} is no table of vectors ({', '.join(VECTOR_FILES)}), and the map was made of {params.source}"
            )
        table = read_vectors(path, params.columns, fewest=1)
        vectors.append(
            scale_vectors(columns_like(arrays["vector_columns"].tolist(), table, path), arrays, params.scale)
        )
        columns = table.columns.drop(columns=["split", "file_name"], errors="ignore")
        known.append(columns.assign(file_name=row_names(table.columns, None), label=columns.get("label")))
    return pd.concat(known, ignore_index=True), place_vectors(np.concatenate(vectors), finished)


def columns_like(wanted: list[str], table: VectorTable, path: Path) -> np.ndarray:
    """Return the columns `wanted` of a table's vectors; all of them if the names differ but the number is the same."""
    if len(wanted) == len(table.names) and not set(wanted) & set(table.names):
        return table.vectors
    if missing := [name for name in wanted if name not in table.names]:
        raise InputError(f"{path} lacks column {missing[0]!r}, which the vectors of the map have")
    return table.vectors[:, [table.names.index(name) for name in wanted]]


def describe(names: list[str], placed: Placed, finished: FinishedMap) -> list[dict]:
    """Return what is known of each new row, as JSON takes it."""
    usual, distance = np.sort(finished.measures.distance), placed.measures.distance
    mapped = finished.samples["file_name"].tolist()
    return [
        {
            "file_name": name,
            "classes": classes,
            "position": placed.positions[i].tolist(),
            "distance": float(distance[i]),
            "farther_than": float(np.searchsorted(usual, distance[i]) / len(usual)),
            **({} if placed.errors is None else {"reconstruction_error": float(placed.errors[i])}),
            "neighbours": [mapped[row] for row in placed.neighbours[i]],
            "neighbour_distances": placed.distances[i].tolist(),
            "off_map": bool(placed.warnings[i]),
            "warnings": placed.warnings[i],
        }
        for i, (name, classes) in enumerate(zip(names, classes_near(placed.neighbours, finished), strict=True))
    ]


def sentence(entry: dict) -> str:
    """Return an entry as text: a line, and a second one with its warnings if it is off the map."""
    where = ", ".join(f"{value:.1f}" for value in entry["position"])
    mean = f"mean distance to {len(entry['neighbours'])} neighbours {entry['distance']:.3g}"
    distance = f"{mean}, farther than {entry['farther_than']:.0%} of the map's own"
    told = [classes_in_words(entry), f"nearest {entry['neighbours'][0]}", distance, f"at ({where})"]
    line = f"{entry['file_name']}: {'; '.join(filter(None, told))}"
    return f"{line}\n  warning: off the map: {'; '.join(entry['warnings'])}" if entry["off_map"] else line


def classes_in_words(entry: dict) -> str:
    """Return the classes with their shares; empty if none is known."""
    return ", ".join(f"{name} {share:.0%}" for name, share in entry["classes"].items())


def caption(entry: dict) -> str:
    """Return an entry as one short line: the file's name and the classes."""
    return ": ".join(filter(None, (shorten(Path(entry["file_name"]).name), shorten(classes_in_words(entry), 60))))


def interactive(known: pd.DataFrame, placed: Placed, path: Path) -> str:
    """Return the interactive page of the map with the new rows on it."""
    names, (labels, classes) = known["file_name"].tolist(), classes_of_text(known["label"])
    samples, shown = read_samples(), load_params("page.columns")
    columns = known.drop(columns=["file_name", "label"])
    columns = columns[[name for name in columns if shown == "all" or name in shown]]
    new_samples = make_samples(np.full(len(names), "test"), names, labels, classes, columns)
    new = Points(
        placed.positions,
        new_samples,
        placed.images,
        placed.reconstructions,
        placed.errors,
        placed.neighbours[:, :PAGE_NEIGHBOURS].astype(np.int32),
        warnings=["; ".join(warnings) for warnings in placed.warnings],
        folder="" if placed.images is None else links_to(names, path),
    )
    return page_from_artifacts(
        keep_columns(samples, shown),
        read_arrays("data/images.npz"),
        read_arrays("data/latents.npz"),
        read_arrays("data/map.npz"),
        read_weights("data/autoencoder.safetensors"),
        {"map": read_json("metrics/map.json"), "latents": read_json("metrics/latents.json")},
        map_params(),
        read_csv("plots/map_points.csv"),
        read_csv("plots/groups.csv"),
        read_csv("plots/review.csv"),
        new=new,
        path=str(path),
    )


def links_to(names: list[str], page: Path) -> str:
    """Return the URL that, followed by a name, leads from `page` to the file; empty if only some names are absolute."""
    if all(map(os.path.isabs, names)):
        return "file://"
    return "" if any(map(os.path.isabs, names)) else folder_url(".", str(page))
