"""The page of the map that the pipeline made, from the content of its artifacts."""

import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from stages.common.errors import InputError
from stages.common.map_density import density_beneath
from stages.common.samples_table import COLUMNS, columns_of, is_train
from stages.page.map_groups import groups_of
from stages.page.map_page import GROUP, Points, map_page
from stages.page.pack_encoder import Encoder, is_packable
from stages.tsne.neighbours import nearest, nearest_others, reach

PAGE = "plots/map.html"
NEIGHBOURS = 8  # latent neighbours listed for each point
NAMES = {"drawn": "Drawn garments", "fashion-mnist": "Fashion-MNIST"}


def page_from_artifacts(
    samples: pd.DataFrame,
    pictures: dict[str, np.ndarray],
    coded: dict[str, np.ndarray],
    mapping: dict[str, np.ndarray],
    weights: tuple[dict, dict[str, np.ndarray]],
    metrics: dict[str, dict],
    params: dict[str, dict],
    map_points: pd.DataFrame,
    group_table: pd.DataFrame,
    review: pd.DataFrame,
    new: Points | None = None,
    path: str = PAGE,
) -> str:
    """Return the page as HTML.

    Args:
        samples: the samples' table. pictures, coded, mapping: arrays of data/images.npz, latents.npz and map.npz.
        weights: architecture and arrays of the autoencoder, as `read_weights` returns them.
        metrics, params: by group and section, to list.
        map_points, group_table, review: tables of plots/map_points.csv, groups.csv and review.csv.
        new: points to show on the map instead of its test rows; their neighbours count the mapped rows.
        path: where the page will lie; links to the images' files are relative to it.
    """
    source, latents = params["images"]["source"], coded["latents"]
    mapped, placed_rows = mapping["mapped"], mapping["placed_rows"]
    has_images = pictures["images"].shape[1:3] != (1, 1)  # or the vectors came from a file
    is_folder = has_images and source not in NAMES and not source.endswith(".json")
    fields = {"reconstructions": coded.get("reconstructions"), "errors": coded.get("errors")}
    fields["images"] = pictures["images"] if has_images else None

    groups = groups_of(map_points, group_table, mapping["positions"])
    if groups:
        names = pd.Categorical.from_codes(map_points["group"], [group.name for group in groups])
        samples = samples.assign(**{GROUP: pd.Series(names, index=samples.index[mapped])})

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
    things = "images" if has_images else "rows"
    layer = {"new": new, "new_name": f"New {things}", "new_shown": True}
    on_page, beneath = mapped, np.ones(len(placed_rows), bool)  # rows of the samples, and placed ones shown as density
    if new is None:
        test = ~is_train(samples)[placed_rows]
        beneath = ~(test | is_reviewed(samples, review)[placed_rows])
        on_page = np.append(mapped, placed_rows[~beneath])
    if new is None and not beneath.all():
        shown = placed_rows[~beneath]
        _, nearest_to_shown = nearest(latents[mapped], latents[shown], k)
        layer["new"] = points(shown, mapping["placed"][~beneath], nearest_to_shown, None)
        kind = "Test and reviewed" if (~beneath & ~test).any() else "Test"
        layer["new_name"] = f"{kind} {things}, placed afterwards"
        layer |= {"new_shown": is_folder, "new_framed": not is_folder}
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
        groups=groups,
        review=located(review, samples.iloc[on_page]),
        density=density_beneath(mapping["positions"], mapping["placed"][beneath]),
    )


def keep_columns(samples: pd.DataFrame, columns: str | list[str]) -> pd.DataFrame:
    """Return the samples with the columns that `page.columns` names. Raises `InputError` for one that is not there."""
    known = list(columns_of(samples))
    if columns == "all":
        return samples
    for name in columns:
        if name not in known:
            raise InputError(
                f"params.yaml: page.columns names {name!r}, which the samples lack; found: {', '.join(known) or 'none'}"
            )
    return samples[[*COLUMNS, *dict.fromkeys(columns)]]


def is_reviewed(samples: pd.DataFrame, review: pd.DataFrame) -> np.ndarray:
    """Return which samples (n,) bool a finding is about, or names as the other one."""
    return samples["file_name"].isin([*review["file_name"], *review["other_file_name"].dropna()]).to_numpy()


def located(review: pd.DataFrame, samples: pd.DataFrame) -> list[tuple]:
    """Return the findings as the page takes them: kind, point, why, other point, suggestion; point -1 is not on it."""
    points = {key: i for i, key in enumerate(zip(samples["split"], samples["file_name"], strict=True))}
    names = {name: i for i, name in enumerate(samples["file_name"])}
    known = review.fillna({"other_file_name": "", "suggestion": ""})
    return [
        (kind, points.get((split, name), -1), why, names.get(other, -1), suggestion)
        for kind, split, name, why, other, suggestion in zip(
            *(known[column] for column in ("kind", "split", "file_name", "why", "other_file_name", "suggestion")),
            strict=True,
        )
    ]


def folder_url(folder: str, page: str = PAGE) -> str:
    """Return a folder's URL with a slash at the end: relative to the page, or `file:` if the setting is absolute."""
    if Path(folder).is_absolute():
        return Path(folder).as_uri() + "/"
    return quote(Path(os.path.relpath(folder, Path(page).parent)).as_posix()) + "/"
