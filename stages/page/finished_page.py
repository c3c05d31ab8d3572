"""The page of the map that the pipeline made, from the content of its artifacts."""

import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from stages.common.density import density_beneath
from stages.common.samples import is_train
from stages.page.map_page import Points, map_page
from stages.page.pack_encoder import Encoder, is_packable
from stages.tsne.neighbours import nearest, nearest_others, reach

PAGE = "plots/map.html"
NEIGHBOURS = 8  # latent neighbours listed for each point
GROUP = "group on the map"  # column of the page
NAMES = {"drawn": "Drawn garments", "fashion-mnist": "Fashion-MNIST"}


def finished_page(
    samples: pd.DataFrame,
    pictures: dict[str, np.ndarray],
    coded: dict[str, np.ndarray],
    mapping: dict[str, np.ndarray],
    weights: tuple[dict, dict[str, np.ndarray]],
    metrics: dict[str, dict],
    params: dict[str, dict],
    map_points: pd.DataFrame,
    review: pd.DataFrame,
    new: Points | None = None,
    path: str = PAGE,
) -> str:
    """Return the page as HTML.

    Args:
        samples: the samples' table. pictures, coded, mapping: arrays of data/images.npz, latents.npz and map.npz.
        weights: architecture and arrays of the autoencoder, as `read_weights` returns them.
        metrics, params: by group and section, to list.
        map_points, review: tables of plots/map_points.csv and plots/review.csv.
        new: points to show on the map instead of its test rows; their neighbours count the mapped rows.
        path: where the page will lie; links to the images' files are relative to it.
    """
    source, latents = params["images"]["source"], coded["latents"]
    mapped, placed_rows = mapping["mapped"], mapping["placed_rows"]
    has_images = pictures["images"].shape[1:3] != (1, 1)  # or the vectors came from a file
    is_folder = has_images and source not in NAMES and not source.endswith(".json")
    fields = {"reconstructions": coded.get("reconstructions"), "errors": coded.get("errors")}
    fields["images"] = pictures["images"] if has_images else None

    if (map_points["group"] >= 0).any():
        samples = samples.assign(**{GROUP: pd.Series(group_names(map_points), index=samples.index[mapped])})

    def points(rows: np.ndarray, positions: np.ndarray, neighbours: np.ndarray, kept: np.ndarray | None) -> Points:
        return Points(
            positions,
            samples.iloc[rows],
            **{name: field[rows] for name, field in fields.items() if field is not None},
            neighbours=neighbours.astype(np.int32),
            kept=kept,
            folder=folder_url(source, path) if is_folder else "",
        )

    k = min(NEIGHBOURS, len(mapped) - 1)
    neighbours, on_map = nearest_others(latents[mapped], k), nearest_others(mapping["positions"], k)
    kept = (neighbours[:, :, None] == on_map[:, None, :]).any(axis=2).mean(axis=1)
    test = ~is_train(samples)[placed_rows]
    layer = {"new": new, "new_name": "New images" if has_images else "New rows", "new_shown": True}
    if new is None and test.any():
        _, nearest_to_test = nearest(latents[mapped], latents[placed_rows[test]], k)
        layer["new"] = points(placed_rows[test], mapping["placed"][test], nearest_to_test, None)
        layer["new_name"] = f"Test {'images' if has_images else 'rows'}, placed afterwards"
        layer |= {"new_shown": is_folder, "new_framed": not is_folder}
    on_page = np.append(mapped, placed_rows[test]) if new is None else mapped
    encoder = None
    if "reconstructions" in coded and "framing" in pictures and is_packable(weights[0]):
        framing = dict(zip(("size", "ground", "extent"), pictures["framing"].astype(int).tolist(), strict=True))
        encoder = Encoder(*weights, latents[mapped], reach(latents[mapped], neighbours), framing)
    name = Path(source).name if has_images else Path(params["latents"]["source"]).stem
    return map_page(
        points(mapped, mapping["positions"], neighbours, kept),
        title=NAMES.get(name, name),
        **layer,
        metrics=metrics,
        params=params,
        encoder=encoder,
        review=located(review, samples.iloc[on_page]),
        density=density_beneath(mapping["positions"], mapping["placed"][~test]),
    )


def group_names(map_points: pd.DataFrame) -> pd.Categorical:
    """Return the group (p,) of each mapped row, named by its main class and numbered: `Sneaker 1`, `Sneaker 2`, …"""
    grouped = map_points[map_points["group"] >= 0]
    names, used = [], {}
    for _, labels in grouped.groupby("group")["label"]:
        counts = labels.value_counts()
        name = str(counts.index[0]) if len(counts) else "group"
        used[name] = used.get(name, 0) + 1
        names.append(f"{name} {used[name]}")
    return pd.Categorical.from_codes(map_points["group"], names)


def located(review: pd.DataFrame, samples: pd.DataFrame) -> list[tuple]:
    """Return the findings about rows on the page: kind, point, why, other point (-1 if none), suggestion."""
    points = {key: i for i, key in enumerate(zip(samples["split"], samples["file_name"], strict=True))}
    names = {name: i for i, name in enumerate(samples["file_name"])}
    return [
        (finding.kind, points[finding.split, finding.file_name], finding.why, names.get(other, -1), suggestion)
        for finding, other, suggestion in zip(
            review.itertuples(), review["other_file_name"].fillna(""), review["suggestion"].fillna(""), strict=True
        )
        if (finding.split, finding.file_name) in points
    ]


def folder_url(folder: str, page: str = PAGE) -> str:
    """Return a folder's URL with a slash at the end: relative to the page, or `file:` if the setting is absolute."""
    if Path(folder).is_absolute():
        return Path(folder).as_uri() + "/"
    return quote(Path(os.path.relpath(folder, Path(page).parent)).as_posix()) + "/"
