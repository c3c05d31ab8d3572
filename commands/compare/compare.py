"""`fitmap compare`: metrics, settings and maps of two revisions."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import typer
from dvc.utils.serialize import YAMLError, parse_yaml

from commands.compare.compare_maps import NEIGHBOURS, Maps, compare_maps, draw_maps
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
from experiments.claim_verdicts import markdown
from stages.common.artifacts import write_bytes
from stages.common.errors import InputError
from stages.figures.style import png_bytes


@dataclass(frozen=True)
class Comparison:
    """The differences of two sides. Without `maps`, `note` says why they are not compared."""

    old: Revision
    new: Revision
    metrics: list[Change]
    params: list[tuple[str, object, object]]
    maps: Maps | None
    note: str


def compare(
    revisions: Sequence[str], tolerances: Sequence[str], only_worse: bool, form: str, picture: Path | None
) -> None:
    """Print the comparison as `form` (text, json or markdown) and draw both maps into the file `picture`.

    Exit with status 1 if a metric changed beyond its tolerance; if `only_worse`, if one got worse or is gone.
    """
    if len(revisions) > 2:
        raise InputError(f"compare takes two revisions at most, not {len(revisions)}")
    old, new = (*revisions, None)[:2] if revisions else ("HEAD", None)
    found = compare_sides(Revision(old), Revision(new), tolerances)
    print({"text": as_text, "json": as_json, "markdown": as_markdown}[form](found))
    if picture and found.maps is None:
        raise InputError(found.note)
    if picture:
        write_bytes(str(picture), png_bytes(draw_maps(found.maps, found.old, found.new)))
    lost = [change for change in found.metrics if change.verdict == MISSING and change.new is None]
    worse = [change for change in found.metrics if change.verdict == WORSE_NOW]
    if worse + lost if only_worse else any(change.verdict != SAME for change in found.metrics):
        raise typer.Exit(1)


def compare_sides(old: Revision, new: Revision, tolerances: Sequence[str]) -> Comparison:
    metrics = compare_metrics(read_metrics(old), read_metrics(new), tolerances)
    before, after = read_params(old), read_params(new)
    keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    try:
        maps, note = compare_maps(old, new), ""
    except Missing as missing:
        maps, note = None, f"the maps are not compared: {missing}"
    return Comparison(old, new, metrics, [(key, before.get(key), after.get(key)) for key in keys], maps, note)


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


def summary(found: Comparison) -> str:
    """Return the numbers of verdicts in a sentence."""
    verdicts = [change.verdict for change in found.metrics]
    order = (BETTER_NOW, WORSE_NOW, CHANGED, MISSING, SAME)
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in order if verdict in verdicts]
    return f"{len(verdicts)} metrics: {', '.join(counts)}; settings changed: {len(found.params)}"


def sentence(found: Comparison) -> str:
    """Return what there is to say of the maps."""
    maps = found.maps
    if maps is None:
        return found.note
    kept = f"{maps.kept.mean():.1%} of the {NEIGHBOURS} nearest neighbours are kept ({maps.by_chance:.1%} by chance)"
    points = f"{len(maps.old)} points on both maps" + (f", {maps.left_out} on one" if maps.left_out else "")
    return f"{points}: {kept}; {maps.disparity:.1%} of the spread is left after alignment"


def as_text(found: Comparison) -> str:
    table = pd.DataFrame([row_of(change) for change in found.metrics], columns=HEADS)
    lines = [f"{found.old.title} → {found.new.title}", summary(found), "", table.to_string(index=False), ""]
    lines += [f"{key}: {text_of(old)} → {text_of(new)}" for key, old, new in found.params]
    return "\n".join([*lines, sentence(found)])


def as_json(found: Comparison) -> str:
    maps = found.maps
    content = {
        "old": {"name": found.old.name, "commit": found.old.commit},
        "new": {"name": found.new.name, "commit": found.new.commit},
        "metrics": [{**asdict(change), "better": change.better, "verdict": change.verdict} for change in found.metrics],
        "params": [{"key": key, "old": old, "new": new} for key, old, new in found.params],
        "maps": maps
        and {
            "points": len(maps.old),
            "left_out": maps.left_out,
            "neighbours": NEIGHBOURS,
            "neighbours_kept": float(maps.kept.mean()),
            "neighbours_kept_by_chance": maps.by_chance,
            "procrustes_disparity": maps.disparity,
        },
        "note": found.note,
    }
    return json.dumps(content, indent=2, default=str, allow_nan=False)


def as_markdown(found: Comparison) -> str:
    """Return a comment for a pull request; metrics that did not change are only counted."""
    changed = [row_of(change) for change in found.metrics if change.verdict != SAME]
    params = [[key, text_of(old), text_of(new)] for key, old, new in found.params]
    tables = (changed, HEADS), (params, ["setting", "old", "new"])
    parts = [f"### {plain(found.old.title)} → {plain(found.new.title)}", f"{summary(found)}."]
    parts += [markdown(pd.DataFrame(rows, columns=heads).map(plain)) for rows, heads in tables if rows]
    return "\n\n".join([*parts, plain(sentence(found))])


def plain(text: str) -> str:
    """Escape text for Markdown: no markup, mention, link or line break."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#!~" else sign for sign in " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("@", "@\u200b").replace("://", ":\u200b//")
