"""The interactive map as one HTML file: every point at its place, opened by a double click, without network.

This module decides what the page holds; `pack_*.py` encode it, `html_document.py` makes the file, `web/` is the page.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.colours import class_colour
from stages.common.map_density import Density
from stages.common.samples_table import classes_of, columns_of
from stages.page.html_document import data_script, html_document, json_script
from stages.page.map_groups import Group
from stages.page.pack_bytes import as_text, deflated, deflated_strings
from stages.page.pack_columns import category_codes, pack_column
from stages.page.pack_encoder import Encoder, pack_encoder
from stages.page.pack_images import sheet_layout, sprite_sheets
from stages.page.security_policy import json_text

WEB = Path(__file__).with_name("web")
GROUP = "group on the map"  # column of the page
PALETTE = 20  # categories of a column that have a colour of their own: the largest ones
BLACK = 16  # levels up to which a pixel of an image's border counts as black
BLACK_SHARE = 0.6  # share of black border pixels from which grey images are cut out


@dataclass(frozen=True)
class Points:
    """n points of the map and what is known of each; None if unknown.

    positions: float (n, 2) or (n, 3). samples: their n rows of the samples, see `stages/common/samples_table.py`.
    images, reconstructions: uint8 (n, h, w) or (n, h, w, 3). errors: float (n,), mean squared reconstruction error.
    neighbours: int (n, k), the nearest in latent space among the mapped points, nearest first. kept: float (n,), the
    share of them that are neighbours on the map too. warnings: why each is off the map, empty if it is on it.
    folder: URL of the folder that holds the files, relative to the page or absolute; empty if there is none.
    """

    positions: np.ndarray
    samples: pd.DataFrame
    images: np.ndarray | None = None
    reconstructions: np.ndarray | None = None
    errors: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    kept: np.ndarray | None = None
    warnings: Sequence[str] = ()
    folder: str = ""


def map_page(
    points: Points,
    *,
    title: str,
    new: Points | None = None,
    new_name: str = "New images",
    new_shown: bool = False,
    new_framed: bool = True,
    metrics: dict | None = None,
    params: dict | None = None,
    encoder: Encoder | None = None,
    density: Density | None = None,
    groups: Sequence[Group] = (),
    review: Sequence[tuple] = (),
) -> str:
    """Return the page of a map as one self-contained HTML document; equal arguments give equal bytes.

    Args:
        points: those that made the map.
        title: heading of the page, as text.
        new: points placed on the map afterwards, a layer called `new_name` that is shown at first if `new_shown`, each
            image in a frame if `new_framed`. Their neighbours are indices into `points`. What only one of the two has
            is blank for the other.
        metrics, params: values to list, in groups (`{"map": {"trustworthiness": 0.99}}`) or flat.
        encoder: lets the page place images that its reader drops on it; needs neighbours.
        groups: those of the map; the samples' column `GROUP` names that of each point.
        review: findings worth a look: kind, point (-1 if not on the page), why, other point (-1 if none), suggested
            class ("" if none).
        density: drawn beneath a flat map; hidden at first unless most of its points are not among `points`.
    """
    layers = [points] if new is None else [points, new]
    samples = pd.concat([layer.samples for layer in layers], ignore_index=True)
    classes = list(dict.fromkeys(name for layer in layers for name in classes_of(layer.samples)))
    samples["label"] = pd.Categorical(samples["label"].astype("object"), categories=classes)
    names = [str(name) for name in samples["file_name"]]
    images, reconstructions = (_joined(layers, name, 0) for name in ("images", "reconstructions"))
    sheets = {
        name: sprite_sheets(array)
        for name, array in (("images", images), ("reconstructions", reconstructions))
        if array is not None and array.size
    }
    columns = [pack_column(name, values) for name, values in columns_of(samples).items()]
    described, weights = pack_encoder(encoder) if encoder and "images" in sheets else (None, None)
    header = {
        "mapped": len(points.positions),
        "stored": len(samples),
        "dimensions": points.positions.shape[1],
        "classNames": classes,
        "classColours": [class_colour(label) for label in range(len(classes))],
        "palette": [class_colour(code) for code in range(PALETTE)],
        "columns": [header for header, _ in columns],
        "groupColumn": GROUP,
        "cell": sheet_layout(images) if "images" in sheets else {"width": 1, "height": 1, "columns": 1, "rows": 1},
        "colour": "images" in sheets and images.ndim == 4,
        "sheets": {name: len(encoded) for name, encoded in sheets.items()},
        "cutOut": "images" in sheets and _is_on_black(images),
        "newName": new_name,
        "newFramed": new_framed,
        "newShown": new_shown and new is not None,
        "folders": [layer.folder for layer in layers],
        "storageKey": hashlib.sha256("\0".join(names).encode("utf-8", "replace")).hexdigest()[:32],
        "warnings": {
            str(len(points.positions) + index): str(warning)
            for index, warning in enumerate(new.warnings if new else [])
            if warning
        },
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
    positions = np.concatenate([layer.positions for layer in layers])
    first = [_array("positions", positions.astype("<f4")), _array("classes", category_codes(samples["label"]))]
    if density is not None:
        sheets["density"] = sprite_sheets(density.shades[None])
    later = [data_script(as_text(deflated_strings(names)), deflated="names")]
    if groups:
        listed = [(g.name, g.medoid, [line.ravel().tolist() for line in g.outline], g.told_by) for g in groups]
        later.append(data_script(as_text(deflated(json_text(listed).encode())), deflated="groups"))
    if review:
        later.append(data_script(as_text(deflated(json_text(list(review)).encode())), deflated="review"))
    later += [_deflated(name, array) for name, array in _measures(layers).items()]
    later += [
        data_script(as_text(content), deflated=f"column{index}", type=header.get("dtype", "strings"))
        for index, (header, content) in enumerate(columns)
    ]
    later += [
        data_script(as_text(sheet), sheet=name, index=index)
        for name, encoded in sheets.items()
        for index, sheet in enumerate(encoded)
    ]
    if weights is not None:
        later.append(data_script(as_text(weights), deflated="encoder"))
    dragging = "turn; with Shift or the right button: move" if header["dimensions"] == 3 else "move"
    return html_document(WEB, title, [json_script("header", header), *first], later, dragging=dragging)


def _measures(layers: Sequence[Points]) -> dict[str, np.ndarray]:
    """Return the known ones of errors, kept and neighbours for all layers, in the smallest type that holds them."""
    few = len(layers[0].positions) <= 1 << 16
    blanks = {"errors": (np.nan, "<f4"), "kept": (np.nan, "<f4"), "neighbours": (0, "<u2" if few else "<i4")}
    found = {name: (_joined(layers, name, blank), dtype) for name, (blank, dtype) in blanks.items()}
    return {name: array.astype(dtype) for name, (array, dtype) in found.items() if array is not None}


def _joined(layers: Sequence[Points], name: str, blank: float) -> np.ndarray | None:
    """Return one field of all layers, `blank` for a layer that lacks it; None if all do."""
    known = [getattr(layer, name) for layer in layers if getattr(layer, name) is not None]
    if not known:
        return None
    parts = []
    for layer in layers:
        part = getattr(layer, name)
        shape = (len(layer.positions), *known[0].shape[1:])
        parts.append(np.full(shape, blank, known[0].dtype) if part is None else part)
    return np.concatenate(parts)


def _is_on_black(images: np.ndarray) -> bool:
    """Return whether images are grey and most of their borders black, so that what they show can be cut out."""
    if images.ndim == 4:
        return False
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return bool(np.mean(borders < BLACK) > BLACK_SHARE)


def _array(name: str, array: np.ndarray) -> str:
    return data_script(as_text(array), array=name, type=array.dtype)


def _deflated(name: str, array: np.ndarray) -> str:
    return data_script(as_text(deflated(array)), deflated=name, type=array.dtype)
