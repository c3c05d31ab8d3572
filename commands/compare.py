"""`fitmap compare`: two revisions side by side: metrics, parameters, pictures, and one map laid over the other."""

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
import yaml

from commands import comparison_page as page
from commands.metrics import ABSENT, BETTER_NOW, MOVED, SAME, WORSE_NOW, Change, compare_metrics, flatten
from commands.revisions import Missing, Revision
from stages.common.artifacts import write_text
from stages.common.errors import InputError
from stages.images.garments.garments import CLASS_NAMES
from stages.scores.alignment import neighbours_kept, procrustes

METRICS = ("regressor", "latents", "map")
NEIGHBOURS = 15  # of each point, looked for on both maps
IMAGES, LATENTS, POINTS = "data/images.npz", "data/latents.npz", "plots/map_points.csv"


@dataclass(frozen=True)
class Maps:
    """The points of two maps that show the same images, their classes, and how the second follows the first.

    `old` (n, d) and `new` (n, d), which is laid over `old`; `labels` (n,), indices into `class_names` or -1; `kept`
    (n,) is the share of each point's neighbours on the old map that are its neighbours on the new one.
    """

    old: np.ndarray
    new: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    kept: np.ndarray
    disparity: float

    @property
    def by_chance(self) -> float:
        return NEIGHBOURS / (len(self.old) - 1)


@dataclass(frozen=True)
class Comparison:
    """All that two sides differ in. `pictures`: whether each path is the same on both; `notes`: what is missing."""

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

    Exit status 1 where a metric moved beyond its tolerance; if `only_worse`, where one got worse or vanished.
    """
    if len(revisions) > 2:
        raise InputError(f"compare takes two revisions at most, not {len(revisions)}")
    old, new = (*revisions, None)[:2] if revisions else ("HEAD", None)
    found = compare_sides(Revision(old), Revision(new), tolerances)
    print({"text": as_text, "json": as_json, "markdown": as_markdown}[form](found))
    if html:
        write_text(str(html), as_page(found))
        if form == "text":
            print(f"the page: {html}")
    gone = [change for change in found.metrics if change.verdict == WORSE_NOW or change.present == (True, False)]
    if gone if only_worse else any(change.verdict != SAME for change in found.metrics):
        raise typer.Exit(1)


def compare_sides(old: Revision, new: Revision, tolerances: Sequence[str]) -> Comparison:
    params = [read_params(side) for side in (old, new)]
    metrics = compare_metrics(*(read_metrics(side) for side in (old, new)), tolerances)
    notes: list[str] = []
    pictures = {path: old.digest(path) == new.digest(path) for path in sorted({*old.pictures(), *new.pictures()})}
    maps = None
    try:
        maps, said = compare_maps(old, new, *params)
        notes += said
    except Missing as missing:
        notes.append(f"the maps are not compared: {missing}")
    changed = [
        (key, params[0].get(key), params[1].get(key))
        for key in dict.fromkeys([*params[0], *params[1]])
        if params[0].get(key) != params[1].get(key)
    ]
    return Comparison(old, new, metrics, changed, pictures, maps, notes)


def read_params(side: Revision) -> dict[str, object]:
    """The side's parameters, flat."""
    try:
        values = yaml.safe_load(side.read("params.yaml") or b"{}")
    except yaml.YAMLError as error:
        raise InputError(f"params.yaml of {side.name} is not valid YAML: {error}")
    return flatten(values) if isinstance(values, dict) else {}


def read_metrics(side: Revision) -> dict[str, float | None]:
    """The side's metrics, flat: `regressor.test_mae`."""
    flat: dict[str, object] = {}
    for name in METRICS:
        path = f"metrics/{name}.json"
        try:
            values = json.loads(side.read(path) or b"{}")
        except ValueError as error:
            raise InputError(f"{path} of {side.name} is not valid JSON: {error}")
        flat |= flatten({name: values})
    for key, value in flat.items():
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
        ):
            raise InputError(f"metrics of {side.name}: {key} = {value!r:.60} is no finite number")
    if not flat:
        raise InputError(f"{side.name} has no metrics: `dvc repro` makes them")
    return flat


def compare_maps(old: Revision, new: Revision, *params: dict[str, object]) -> tuple[Maps | None, list[str]]:
    """The maps of both sides over their common points, matched by their index into the images; and what to say."""
    tables = [side.read(POINTS) for side in (old, new)]
    if None in tables:
        lacking = " and ".join(side.name for side, table in zip((old, new), tables, strict=True) if table is None)
        return None, [f"the maps are not compared: {lacking} has no {POINTS}"]
    first, second = (read_points(side) for side in (old, new))
    n = min(len(first), len(second))
    same = same_rows(old, new, n, *params)
    notes = [] if same.all() else [f"the images differ: {same.sum()} of {n} points show the same one on both maps"]
    if len(first) != len(second):
        notes.append(f"the maps have {len(first)} and {len(second)} points: the first {n} are compared")
    if same.sum() <= NEIGHBOURS:
        return None, [*notes, "the maps are not compared: too few points show the same image"]
    classes = first["class"][:n][same]
    labels, names = number_classes(classes)
    positions = [positions_of(table)[:n][same] for table in (first, second)]
    kept = neighbours_kept(*positions, NEIGHBOURS)
    axes = max(places.shape[1] for places in positions)
    fixed, moved = (np.pad(places, ((0, 0), (0, axes - places.shape[1]))) for places in positions)
    over = procrustes(moved, fixed)
    return Maps(fixed, over(moved), labels, names, kept, over.disparity), notes


def number_classes(classes: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The classes as indices into names, -1 where unknown; garments in their own order, whose colours pictures use."""
    found = sorted(classes.dropna().unique())
    names = list(CLASS_NAMES) if set(found) <= set(CLASS_NAMES) else found
    return pd.Categorical(classes, categories=names).codes.astype(np.int64), names


def read_points(side: Revision) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(side.read(POINTS)))
        return table.astype(dict.fromkeys(axes_of(table), np.float64) | {"class": "string"})
    except (ValueError, KeyError) as error:
        raise InputError(f"{POINTS} of {side.name} is damaged: {error}")


def axes_of(table: pd.DataFrame) -> list[str]:
    return [axis for axis in "xyz" if axis in table or axis != "z"]


def read_images(side: Revision) -> np.ndarray:
    """The training images of a side, uint8 (n, h, w)."""
    try:
        with np.load(io.BytesIO(side.read(IMAGES)), allow_pickle=False) as archive:
            return archive["train_images"]
    except (ValueError, KeyError, EOFError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{IMAGES} of {side.name} is missing or damaged: {error}")


def positions_of(table: pd.DataFrame) -> np.ndarray:
    return table[axes_of(table)].to_numpy()


def same_rows(old: Revision, new: Revision, n: int, *params: dict[str, object]) -> np.ndarray:
    """Which of the first `n` points stand for the same image on both sides, bool (n,).

    Points of an autoencoder's map are rows of the images file. Those of a map of the user's own latents are rows of
    the latents file, which have no other identity.
    """
    drawn = [values.get("latents.source") == "autoencoder" for values in params]
    path = IMAGES if any(drawn) else LATENTS
    if drawn[0] == drawn[1] and old.digest(path) == new.digest(path):
        return np.ones(n, dtype=bool)
    if not all(drawn):
        return np.zeros(n, dtype=bool)
    images = [read_images(side) for side in (old, new)]
    if images[0].shape[1:] != images[1].shape[1:]:
        return np.zeros(n, dtype=bool)
    return (images[0][:n] == images[1][:n]).all(axis=(1, 2))


def summary(found: Comparison) -> str:
    """The verdicts counted, in a sentence."""
    verdicts = [change.verdict for change in found.metrics]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in (BETTER_NOW, WORSE_NOW, MOVED, ABSENT, SAME)]
    changed = f"{len(found.params)} parameters changed" if len(found.params) != 1 else "1 parameter changed"
    return f"{len(verdicts)} metrics: {', '.join(text for text in counts if not text.startswith('0 '))}; {changed}"


def map_sentence(maps: Maps) -> str:
    return (
        f"{len(maps.old)} points on both maps: {maps.kept.mean():.1%} of the {NEIGHBOURS} nearest neighbours are "
        f"kept ({maps.by_chance:.1%} by chance); laid over each other, {maps.disparity:.1%} of the spread is left"
    )


def differing(found: Comparison) -> str:
    """The pictures that differ, in a line."""
    paths = [path for path, same in found.pictures.items() if not same]
    return f"{len(paths)} of {len(found.pictures)} pictures differ{': ' if paths else ''}{', '.join(paths)}"


def metric_row(change: Change) -> list[str]:
    """A metric's name, both values in full, their difference, its better direction, and the verdict."""
    known = change.old is not None and change.new is not None
    difference = f"{change.new - change.old:+.3g}" if known else ""
    better = change.better if isinstance(change.better, str) else f"at {change.better:g}" if change.better else ""
    return [change.key, text_of(change.old), text_of(change.new), difference, better, change.verdict]


def text_of(value: object) -> str:
    """A value in full: the shortest text that reads back to the same."""
    return (
        "–"
        if value is None
        else value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=str)
    )


HEADS = ["metric", "old", "new", "difference", "better", "verdict"]


def as_text(found: Comparison) -> str:
    lines = [f"{found.old.title} → {found.new.title}", summary(found), ""]
    table = pd.DataFrame([metric_row(change) for change in found.metrics], columns=HEADS)
    lines += [table.to_string(index=False), ""]
    lines += [f"{key}: {text_of(old)} → {text_of(new)}" for key, old, new in found.params]
    lines += [map_sentence(found.maps)] if found.maps else []
    return "\n".join([*lines, differing(found), *found.notes])


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
    """For a comment on a pull request: what moved is shown, what did not is counted."""
    moved = [metric_row(change) for change in found.metrics if change.verdict != SAME]
    parts = [f"### {plain(found.old.title)} → {plain(found.new.title)}", f"{summary(found)}."]
    parts += [markdown_table(HEADS, moved)] if moved else []
    changed = [[key, text_of(old), text_of(new)] for key, old, new in found.params]
    parts += [markdown_table(["parameter", "old", "new"], changed)] if changed else []
    lines = [*([map_sentence(found.maps)] if found.maps else []), differing(found), *found.notes]
    return "\n\n".join([*parts, "\n".join(f"- {plain(line)}" for line in lines)])


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no mention of anybody, no link, one line."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#!~" else sign for sign in " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("@", "@\u200b").replace("://", ":\u200b//")


def as_page(found: Comparison) -> str:
    rows, kinds = [metric_row(change) for change in found.metrics], [kind_of(change) for change in found.metrics]
    sections = [page.section("Metrics", page.table(HEADS, rows, kinds, range(1, 4)))]
    changed = [[key, text_of(old), text_of(new)] for key, old, new in found.params]
    shown = page.table(["parameter", "old", "new"], changed) if changed else page.paragraph("None changed.")
    sections += [page.section("Parameters", shown), page.section("Maps", *map_parts(found))]
    sections.append(page.section("Pictures", page.paragraph(differing(found)), *picture_parts(found)))
    return page.comparison_page(found.old.title, found.new.title, summary(found), sections)


def kind_of(change: Change) -> str:
    return change.verdict if change.verdict in (SAME, BETTER_NOW, WORSE_NOW) else ""


def map_parts(found: Comparison) -> list[str]:
    notes = [page.paragraph(note, "note") for note in found.notes]
    if not found.maps:
        return notes
    maps = found.maps
    colours = page.class_colours(maps.class_names)
    steps, names, shades = page.share_steps(maps.kept)
    drawn = [
        page.DrawnMap(f"{found.old.name}, by class", maps.old, maps.labels, colours),
        page.DrawnMap(f"{found.new.name}, laid over it", maps.new, maps.labels, colours),
        page.DrawnMap(f"{found.new.name}, by neighbours kept", maps.new, steps, shades),
    ]
    legends = [page.legend(maps.class_names, colours), page.legend(names, shades)]
    return [page.paragraph(map_sentence(maps)), *notes, page.draw_maps(drawn, [maps.old, maps.new]), *legends]


def picture_parts(found: Comparison) -> list[str]:
    """Each picture that differs, of both sides; a line for one whose content is not here."""
    parts = []
    for path in [path for path, same in found.pictures.items() if not same]:
        try:
            parts.append(page.picture_pair(path, [(side.name, side.read(path)) for side in (found.old, found.new)]))
        except Missing as missing:
            parts.append(page.paragraph(str(missing), "note"))
    return parts
