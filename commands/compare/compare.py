"""`fitmap compare`: metrics, settings, pictures and maps of two revisions."""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from dvc.utils.serialize import YAMLError, parse_yaml

from commands.compare.files_of_revision import Missing, Revision
from commands.compare.metric_verdicts import (
    BETTER_NOW,
    CHANGED,
    HEADS,
    MISSING,
    SAME,
    WORSE_NOW,
    Change,
    compare_metrics,
    flatten,
    row_of,
    text_of,
)
from experiments.verdict_tables import markdown
from stages.common.artifacts import write_text
from stages.common.errors import InputError
from stages.scores.alignment import neighbours_kept, procrustes

NEIGHBOURS = 15  # of each point, on both maps
IMAGES, LATENTS, POINTS = "data/images.npz", "data/latents.npz", "plots/map_points.csv"


@dataclass(frozen=True)
class Maps:
    """Two maps of the same points, the second aligned with the first.

    `old` and `new` (n, d) positions; `labels` (n,) classes, missing if unknown; `kept` (n,) share of each point's
    neighbours on the old map that are its neighbours on the new one.
    """

    old: np.ndarray
    new: np.ndarray
    labels: pd.Series
    kept: np.ndarray
    disparity: float

    @property
    def by_chance(self) -> float:
        return NEIGHBOURS / (len(self.old) - 1)


@dataclass(frozen=True)
class Comparison:
    """The differences of two sides. `pictures`: whether each path is the same on both; `notes`: what is missing."""

    old: Revision
    new: Revision
    metrics: list[Change]
    params: list[tuple[str, object, object]]
    pictures: dict[str, bool]
    maps: Maps | None
    notes: list[str]


def compare(
    revisions: Sequence[str], tolerances: Sequence[str], only_worse: bool, form: str, html: Path | None
) -> None:
    """Print the comparison as `form` (text, json or markdown) and write its page.

    Exit with status 1 if a metric changed beyond its tolerance; if `only_worse`, if one got worse or is gone.
    """
    if len(revisions) > 2:
        raise InputError(f"compare takes two revisions at most, not {len(revisions)}")
    old, new = (*revisions, None)[:2] if revisions else ("HEAD", None)
    found = compare_sides(Revision(old), Revision(new), tolerances)
    print({"text": as_text, "json": as_json, "markdown": as_markdown}[form](found))
    if html:
        from commands.compare.html_page import comparison_page

        write_text(str(html), comparison_page(found))
        if form == "text":
            print(f"the page: {html}")
    lost = [change for change in found.metrics if change.verdict == MISSING and change.new is None]
    worse = [change for change in found.metrics if change.verdict == WORSE_NOW]
    if worse + lost if only_worse else any(change.verdict != SAME for change in found.metrics):
        raise typer.Exit(1)


def compare_sides(old: Revision, new: Revision, tolerances: Sequence[str]) -> Comparison:
    sides = (old, new)
    metrics = compare_metrics(*map(read_metrics, sides), tolerances)
    before, after = map(read_params, sides)
    keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    pictures = {path: old.digest(path) == new.digest(path) for path in sorted({*old.pictures(), *new.pictures()})}
    try:
        maps, notes = compare_maps(old, new)
    except Missing as missing:
        maps, notes = None, [f"the maps are not compared: {missing}"]
    params = [(key, before.get(key), after.get(key)) for key in keys]
    return Comparison(old, new, metrics, params, pictures, maps, notes)


def read_params(side: Revision) -> dict[str, object]:
    """Return the settings of a side, flat."""
    try:
        return flatten(parse_yaml(side.read("params.yaml") or b"{}", "params.yaml"))
    except (YAMLError, AttributeError) as error:
        raise InputError(f"params.yaml of {side.name} is not valid: {error}")


def read_metrics(side: Revision) -> dict[str, float | None]:
    """Return the metrics of a side, flat: `regressor.test_mae`."""
    flat: dict[str, object] = {}
    for name in ("regressor", "latents", "map"):
        path = f"metrics/{name}.json"
        try:
            flat |= flatten({name: json.loads(side.read(path) or b"{}")})
        except ValueError as error:
            raise InputError(f"{path} of {side.name} is not valid JSON: {error}")
    for key, value in flat.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not number:
            raise InputError(f"metrics of {side.name}: {key} = {value!r:.60} is no finite number")
    if not flat:
        raise InputError(f"{side.name} has no metrics: `dvc repro` makes them")
    return flat


def compare_maps(old: Revision, new: Revision) -> tuple[Maps | None, list[str]]:
    """Return both maps over the points that have the same file name on both, and notes for the reader."""
    first, second = map(read_points, (old, new))
    both = first.index.intersection(second.index)
    notes = [] if len(both) == len(first) == len(second) else [f"{len(both)} of {len(first)} points are on both maps"]
    if all(old.digest(path) != new.digest(path) for path in (IMAGES, LATENTS)):
        notes.append("the images differ: points are matched by file name alone")
    if len(both) <= NEIGHBOURS:
        return None, [*notes, "the maps are not compared: too few points are on both"]
    first, second = first.loc[both], second.loc[both]
    positions = [table.drop(columns="label").to_numpy() for table in (first, second)]
    kept = neighbours_kept(*positions, NEIGHBOURS)
    axes = max(places.shape[1] for places in positions)
    fixed, moved = (np.pad(places, ((0, 0), (0, axes - places.shape[1]))) for places in positions)
    over = procrustes(moved, fixed)
    return Maps(fixed, over(moved), first["label"], kept, over.disparity), notes


def read_points(side: Revision) -> pd.DataFrame:
    """Return the map's table of a side, with its file names as the index."""
    content = side.read(POINTS)
    if content is None:
        raise Missing(f"{side.name} has no {POINTS}")
    types = {"file_name": "str", "label": "str", **dict.fromkeys("xyz", np.float64)}
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False, na_values=[""])
        axes = ["x", "y", *(["z"] if "z" in table else [])]
        return table.drop_duplicates("file_name").set_index("file_name")[["label", *axes]]
    except (ValueError, KeyError) as error:
        raise InputError(f"{POINTS} of {side.name} has no file_name, label, x and y ({error}): run `dvc repro`")


def summary(found: Comparison) -> str:
    """Return the numbers of verdicts in a sentence."""
    verdicts = [change.verdict for change in found.metrics]
    order = (BETTER_NOW, WORSE_NOW, CHANGED, MISSING, SAME)
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in order if verdict in verdicts]
    return f"{len(verdicts)} metrics: {', '.join(counts)}; settings changed: {len(found.params)}"


def sentences(found: Comparison) -> list[str]:
    """Return what there is to say of maps and pictures, a line each."""
    maps, paths = found.maps, [path for path, same in found.pictures.items() if not same]
    lines = [f"{len(paths)} of {len(found.pictures)} pictures differ{': ' if paths else ''}{', '.join(paths)}"]
    if maps:
        kept = f"{maps.kept.mean():.1%} of the {NEIGHBOURS} nearest neighbours are kept"
        left = f"{maps.disparity:.1%} of the spread is left after alignment"
        lines.insert(0, f"{len(maps.old)} points on both maps: {kept} ({maps.by_chance:.1%} by chance); {left}")
    return lines + found.notes


def as_text(found: Comparison) -> str:
    table = pd.DataFrame([row_of(change) for change in found.metrics], columns=HEADS)
    lines = [f"{found.old.title} → {found.new.title}", summary(found), "", table.to_string(index=False), ""]
    lines += [f"{key}: {text_of(old)} → {text_of(new)}" for key, old, new in found.params]
    return "\n".join([*lines, *sentences(found)])


def as_json(found: Comparison) -> str:
    maps = found.maps
    content = {
        "old": {"name": found.old.name, "commit": found.old.commit},
        "new": {"name": found.new.name, "commit": found.new.commit},
        "metrics": [{**asdict(change), "better": change.better, "verdict": change.verdict} for change in found.metrics],
        "params": [{"key": key, "old": old, "new": new} for key, old, new in found.params],
        "pictures": [{"path": path, "same": same} for path, same in found.pictures.items()],
        "maps": maps
        and {
            "points": len(maps.old),
            "neighbours": NEIGHBOURS,
            "neighbours_kept": float(maps.kept.mean()),
            "neighbours_kept_by_chance": maps.by_chance,
            "procrustes_disparity": maps.disparity,
        },
        "notes": found.notes,
    }
    return json.dumps(content, indent=2, default=str, allow_nan=False)


def as_markdown(found: Comparison) -> str:
    """Return a comment for a pull request; metrics that did not change are only counted."""
    changed = [row_of(change) for change in found.metrics if change.verdict != SAME]
    params = [[key, text_of(old), text_of(new)] for key, old, new in found.params]
    parts = [f"### {plain(found.old.title)} → {plain(found.new.title)}", f"{summary(found)}."]
    tables = (changed, HEADS), (params, ["setting", "old", "new"])
    parts += [markdown(pd.DataFrame(rows, columns=heads).map(plain)) for rows, heads in tables if rows]
    return "\n\n".join([*parts, "\n".join(f"- {plain(line)}" for line in sentences(found))])


def plain(text: str) -> str:
    """Escape text for Markdown: no markup, mention, link or line break."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#!~" else sign for sign in " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("@", "@\u200b").replace("://", ":\u200b//")
