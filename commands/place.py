"""`fitmap place`: where new images stand on the finished map, and what that says about them."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from commands.placed_images import NewImages, draw_placed_images
from stages.autoencoder.training import network_from
from stages.common.artifacts import read_arrays, read_json, read_weights, write_bytes, write_text
from stages.common.density import density_beneath
from stages.common.errors import InputError
from stages.common.settings import load_params, map_params
from stages.figures.style import png_bytes, shorten
from stages.images.garment_framing import Framing, learn_framing, read_framed
from stages.images.source_folder import list_images
from stages.latents.new_images import FinishedMap, Placed, finish_map, kinds_of, place_images
from stages.page.map_page import Points, map_page, points_of
from stages.page.packing import Encoder
from stages.scores.map import neighbourhoods
from stages.tsne.landmarks import landmarks_of
from stages.tsne.neighbours import nearest, reach

PICTURE = Path("plots/placed.png")


def place(paths: list[Path], picture: Path | None, page: Path | None, as_json: bool) -> None:
    """Place image files, print what each is like, and draw the map with them, as a picture and as a page.

    Files that cannot be read are named on stderr and left out; the exit status is 1 then.
    """
    finished = read_finished_map()
    framing = learn_framing(finished.images)
    files, images, strange, unreadable = read_all(paths, framing)
    if files:
        network = network_from(*read_weights("data/autoencoder.safetensors"))
        placed = place_images(images, strange, network, finished, load_params("latents").device)
        entries = describe(files, placed, finished)
        print(json.dumps(entries, indent=2) if as_json else "\n".join(map(sentence, entries)))
        if picture or not as_json:
            write_bytes(str(picture or PICTURE), png_bytes(draw(entries, placed, finished)))
            if not as_json:
                print(f"the map with them: {picture or PICTURE}")
        if page:
            write_text(str(page), interactive(files, placed, finished, framing))
            if not as_json:
                print(f"the map to explore: {page}")
    if unreadable:
        raise InputError(f"{unreadable} of {unreadable + len(files)} images could not be read")


def read_finished_map() -> FinishedMap:
    """The map that the pipeline made, and its images. Raises `InputError` if no autoencoder made its latents."""
    rows, positions = read_mapped()
    if not len(rows["train_errors"]):
        raise InputError(
            "data/latents.npz came from a file of latents, so there is no autoencoder to encode a new image: "
            "set latents.source to autoencoder and run `dvc repro`"
        )
    return finish_map(rows, positions)


def read_mapped() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows as in `LatentSet`, of the training images only those on the map, and their positions."""
    tsne = read_arrays("data/map.npz")
    return landmarks_of(read_arrays("data/latents.npz"), tsne["landmarks"]), tsne["positions"]


def read_all(paths: list[Path], framing: Framing) -> tuple[list[Path], np.ndarray, list[list[str]], int]:
    """The readable files among `paths` and in their folders, their images, what is strange, and how many are broken."""
    files, images, strange, unreadable = [], [], [], 0
    for file in [file for path in paths for file in ([path / name for name in list_images(path)] if path.is_dir() else [path])]:
        try:
            image, warnings = read_framed(file, framing)
        except InputError as error:
            print(f"fitmap: {error}", file=sys.stderr)
            unreadable += 1
            continue
        files.append(file)
        images.append(image)
        strange.append(warnings)
    if not files and not unreadable:
        raise InputError(f"no images in {', '.join(map(str, paths))}")
    return files, np.array(images), strange, unreadable


def describe(files: list[Path], placed: Placed, finished: FinishedMap) -> list[dict]:
    """What is known of each new image, as JSON takes it."""
    usual = np.sort(finished.measures.distance)
    encoded = placed.encoded
    return [
        {
            "image": str(file),
            "kinds": kinds,
            "position": placed.positions[i].tolist(),
            "distance": float(encoded.measures.distance[i]),
            "farther_than": float(np.searchsorted(usual, encoded.measures.distance[i]) / len(usual)),
            "reconstruction_error": float(encoded.errors[i]),
            "neighbours": encoded.neighbours[i].tolist(),
            "off_map": bool(placed.warnings[i]),
            "warnings": placed.warnings[i],
        }
        for i, (file, kinds) in enumerate(zip(files, kinds_of(encoded.neighbours, finished), strict=True))
    ]


def sentence(entry: dict) -> str:
    """An entry as one line of text."""
    place = ", ".join(f"{value:.1f}" for value in entry["position"])
    distance = f"distance {entry['distance']:.3g}, farther than {entry['farther_than']:.0%} of the map's own"
    line = f"{entry['image']}: {kinds_in_words(entry)}; {distance}; at ({place})"
    return f"{line}\n  warning: off the map: {'; '.join(entry['warnings'])}" if entry["off_map"] else line


def kinds_in_words(entry: dict) -> str:
    """The kinds with their shares."""
    return ", ".join(f"{kind} {share:.0%}" for kind, share in entry["kinds"].items()) or "kinds unknown"


def draw(entries: list[dict], placed: Placed, finished: FinishedMap) -> Figure:
    """The map with the new images."""
    captions = [f"{shorten(Path(entry['image']).name)}: {shorten(kinds_in_words(entry), 60)}" for entry in entries]
    off_map = np.array([entry["off_map"] for entry in entries])
    encoded = placed.encoded
    new = NewImages(encoded.images, placed.positions, encoded.neighbours, off_map, captions)
    return draw_placed_images(finished.positions, finished.images, finished.labels, finished.class_names, new)


def interactive(files: list[Path], placed: Placed, finished: FinishedMap, framing: Framing) -> str:
    """The map page with the new images framed on it."""
    params = load_params("map_page")
    neighbours, kept = neighbourhoods(finished.latents, finished.positions, params.neighbours)
    encoded = placed.encoded
    _, new_neighbours = nearest(finished.latents, encoded.latents, params.neighbours)
    new = Points(
        placed.positions,
        np.full(len(files), -1),
        encoded.images,
        encoded.reconstructions,
        encoded.errors,
        new_neighbours.astype(np.int32),
        names=[file.name for file in files],
        warnings=["; ".join(warnings) for warnings in placed.warnings],
    )
    weights = read_weights("data/autoencoder.safetensors")
    return map_page(
        points_of(read_mapped()[0], "train", finished.positions, neighbours=neighbours, kept=kept),
        finished.class_names,
        title=params.title,
        new=new,
        new_name="New images",
        new_shown=True,
        metrics={name: read_json(f"metrics/{name}.json") for name in ("map", "latents")},
        params=map_params(),
        encoder=Encoder(*weights, finished.latents, reach(finished.latents, neighbours), asdict(framing)),
        density=density_beneath(finished.positions, read_arrays("data/map.npz")["others"]),
    )
