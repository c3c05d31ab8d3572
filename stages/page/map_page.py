"""The map as one HTML file: every image at its place, to be opened with a double click and without network.

The page's own HTML, CSS and JavaScript lie in `page/`; this module puts them and the data into one document. Images
travel in lossless WebP sheets, numbers as little-endian arrays, both in base 85 in script elements that no browser
runs. A Content-Security-Policy admits the page's own script and style, by their hashes, and nothing else.
"""

import graphlib
import html
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.common.colours import class_colour
from stages.common.density import Density
from stages.page.packing import Encoder, as_text, packed, sheets
from stages.page.security_policy import admitted, json_text, policy

PAGE = Path(__file__).with_name("page")
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


@dataclass(frozen=True)
class Points:
    """n points of the map and what is known of each; None for what is not.

    positions: float (n, 2) or (n, 3). labels: int (n,), -1 without a class. images, reconstructions: uint8 (n, h, w).
    errors: float (n,), mean squared reconstruction error. neighbours: int (n, k), the nearest in latent space among the
    mapped points, nearest first. kept: float (n,), the share of a point's latent neighbours that are neighbours on the
    map, too, 0 to 1. names: what each is called. warnings: why each is off the map, empty where it is on
    it.
    """

    positions: np.ndarray
    labels: np.ndarray
    images: np.ndarray | None = None
    reconstructions: np.ndarray | None = None
    errors: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    kept: np.ndarray | None = None
    names: Sequence[str] = ()
    warnings: Sequence[str] = ()


def points_of(rows: dict[str, np.ndarray], split: str, positions: np.ndarray, **known) -> Points:
    """The first rows of one split (`train` or `test`) as points of the page; what the rows lack is left out."""
    columns = {name: rows[f"{split}_{name}"][: len(positions)] for name in ("images", "reconstructions", "errors")}
    columns = {name: column for name, column in columns.items() if len(column)}
    return Points(positions, rows[f"{split}_labels"][: len(positions)], **columns, **known)


def map_page(
    points: Points,
    class_names: Sequence[str],
    *,
    title: str,
    new: Points | None = None,
    new_name: str = "New images",
    new_shown: bool = False,
    metrics: dict | None = None,
    params: dict | None = None,
    encoder: Encoder | None = None,
    density: Density | None = None,
) -> str:
    """The page of a map as one self-contained HTML document.

    points: those that made the map. new: images placed on it afterwards, a layer of its own called `new_name` (shown
    from the beginning if `new_shown`), whose neighbours are indices into `points`. metrics, params: figures to list, in
    groups (`{"map": {"trustworthiness": 0.99}}`) or flat. encoder: with it, and with neighbours, the page places images
    that its reader drops on it. density: of training images of which `points` are only some, drawn beneath a flat map;
    hidden at first unless most are not among `points`. What only one of `points` and `new` has of images,
    reconstructions, errors, neighbours or kept is blank for the other; names and warnings are of `new` alone. Equal
    arguments give equal bytes.
    """
    layers = [points] if new is None else [points, new]
    pictures: dict[str, list[bytes]] = {"images": [], "reconstructions": []}
    cell = {"width": 1, "height": 1, "columns": 1, "rows": 1}
    for name in pictures:
        images = _joined(layers, name, 0)
        if images is not None and images.size:
            cell, pictures[name] = sheets(images)
    if density is not None:
        pictures["density"] = sheets(density.shades[None])[1]
    described, weights = packed(encoder) if encoder else (None, None)
    header = {
        "mapped": len(points.positions),
        "stored": sum(len(layer.positions) for layer in layers),
        "dimensions": points.positions.shape[1],
        "classNames": [str(name) for name in class_names],
        "colours": [class_colour(label) for label in range(len(class_names))],
        "cell": cell,
        "sheets": {name: len(encoded) for name, encoded in pictures.items()},
        "cutOut": points.images is not None and points.images.size > 0 and _on_black(points.images),
        "newName": new_name,
        "newShown": new_shown and new is not None,
        "names": [str(name) for name in new.names] if new else [],
        "warnings": [str(warning) for warning in new.warnings] if new else [],
        "encoder": described,
        "density": {
            "count": density.count,
            "extent": density.extent,
            "shown": density.count > 2 * len(points.positions),
        }
        if density
        else None,
        "metrics": metrics or {},
        "params": params or {},
    }
    return _document(title, header, _arrays(layers), pictures, weights)


def _document(
    title: str,
    header: dict,
    arrays: dict[str, np.ndarray],
    pictures: dict[str, list[bytes]],
    weights: bytes | None,
) -> str:
    """The template filled in: first what the first picture shows, then the script that draws it, then the rest."""
    style, script = (PAGE / "page.css").read_text("utf-8"), _bundle(PAGE)
    first = ['<script type="application/json" id="header">' + json_text(header) + "</script>"]
    first += [_array(name, array) for name, array in arrays.items() if name != "neighbours"]
    later = [_array(name, array) for name, array in arrays.items() if name == "neighbours"]
    later += [
        f'<script type="text/plain" data-sheet="{name}" data-index="{index}">{as_text(sheet)}</script>'
        for name, encoded in pictures.items()
        for index, sheet in enumerate(encoded)
    ]
    if weights is not None:
        later.append(f'<script type="text/plain" data-encoder>{as_text(weights)}</script>')
    return string.Template((PAGE / "page.html").read_text("utf-8")).substitute(
        policy=policy(script_src=admitted(script), style_src=admitted(style)),
        title=html.escape(title),
        style=style,
        script=script,
        first="\n".join(first),
        later="\n".join(later),
        dragging="turn; with Shift or the right button: move" if header["dimensions"] == 3 else "move",
    )


def _bundle(folder: Path) -> str:
    """The ES modules of a folder as one script: each in a function of its own, after those that it imports."""
    sources = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.js"))}
    needs = {name: [found[1] for found in IMPORT.findall(source)] for name, source in sources.items()}
    parts = []
    for name in graphlib.TopologicalSorter(needs).static_order():
        body = IMPORT.sub(lambda found: f'const {{{found[1]}}} = modules["{found[2]}"];\n', sources[name])
        exports = ", ".join(found[1] for found in EXPORT.findall(body))
        body = EXPORT.sub(r"\1", body)
        parts.append(f'modules["{name}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n')
    return '"use strict";\n(() => {\nconst modules = {};\n' + "".join(parts) + "})();\n"


def _arrays(layers: Sequence[Points]) -> dict[str, np.ndarray]:
    """The layers' numbers, one after the other, each in the smallest type that holds it."""
    found = {
        "positions": np.concatenate([layer.positions for layer in layers]).astype("<f4"),
        "labels": np.concatenate([layer.labels for layer in layers]).astype("<i2"),
        "errors": _joined(layers, "errors", np.nan),
        "kept": _joined(layers, "kept", np.nan),
        "neighbours": _joined(layers, "neighbours", 0),
    }
    if found["neighbours"] is not None:
        few = len(layers[0].positions) <= 1 << 16
        found["neighbours"] = found["neighbours"].astype("<u2" if few else "<i4")
    for name in ("errors", "kept"):
        if found[name] is not None:
            found[name] = found[name].astype("<f4")
    return {name: array for name, array in found.items() if array is not None}


def _joined(layers: Sequence[Points], name: str, blank: float) -> np.ndarray | None:
    """One field of all layers, `blank` where a layer lacks it; None where all do."""
    known = [getattr(layer, name) for layer in layers if getattr(layer, name) is not None]
    if not known:
        return None
    parts = []
    for layer in layers:
        part = getattr(layer, name)
        shape = (len(layer.positions), *known[0].shape[1:])
        parts.append(np.full(shape, blank, known[0].dtype) if part is None else part)
    return np.concatenate(parts)


def _on_black(images: np.ndarray) -> bool:
    """Whether most of the images' borders are black, so that what they show can be cut out of it."""
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return bool(np.mean(borders < 16) > 0.6)


def _array(name: str, array: np.ndarray) -> str:
    return f'<script type="text/plain" data-array="{name}" data-type="{array.dtype}">{as_text(array)}</script>'
