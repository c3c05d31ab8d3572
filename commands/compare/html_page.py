"""A comparison as one HTML file that runs no script and loads nothing: users' text is escaped, pictures embedded."""

import base64
import html
import io
import re
import string
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from commands.compare.compare import Comparison, Maps, sentences, summary
from commands.compare.files_of_revision import Missing, Revision
from commands.compare.metric_verdicts import BETTER_NOW, HEADS, WORSE_NOW, row_of, text_of
from stages.common.samples_table import SAMPLES, classes_of
from stages.figures.map_points import class_entries, draw_points, project
from stages.figures.style import legend, new_figure, paper, png_bytes
from stages.page.html_document import BASE_STYLE
from stages.page.security_policy import admitted, policy

PAGE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header><h1>$title</h1><p>$summary</p></header>
$body
</body>
</html>
""")


def comparison_page(found: Comparison) -> str:
    """Return the page: metrics, settings, both maps, and the pictures that differ."""
    sides = (found.old, found.new)
    params = [[key, text_of(old), text_of(new)] for key, old, new in found.params]
    maps = [png_bytes(draw_maps(found.maps, *sides))] if found.maps else []
    sections = [
        section("Metrics", table([row_of(change) for change in found.metrics], HEADS)),
        section("Settings", table(params, ["setting", "old", "new"]) if params else paragraph("None changed.")),
        section("Maps and pictures", *map(paragraph, sentences(found)), *[image("both maps", maps) for maps in maps]),
    ]
    for path in [path for path, same in found.pictures.items() if not same]:
        sections.append(section(path, '<div class="pair">', *[picture(path, side) for side in sides], "</div>"))
    style = BASE_STYLE.read_text("utf-8") + Path(__file__).with_suffix(".css").read_text("utf-8")
    return PAGE.substitute(
        policy=policy(style_src=admitted(style), img_src="data:"),
        title=html.escape(f"{found.old.title} → {found.new.title}"),
        style=style,
        summary=html.escape(summary(found)),
        body="\n".join(sections),
    )


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Return a table of text, verdicts in their colours."""
    text = pd.DataFrame(rows, columns=heads).to_html(index=False, border=0).replace(' style="text-align: right;"', "")
    return re.sub(rf"<td>({BETTER_NOW}|{WORSE_NOW})</td>", r'<td class="\1">\1</td>', text)


def image(caption: str, png: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return f'<figure><img src="{source}" alt=""><figcaption>{html.escape(caption)}</figcaption></figure>'


def picture(path: str, side: Revision) -> str:
    """Return a picture of the pipeline with the name of its side, or a line that says why there is none."""
    try:
        content = side.read(path)
    except Missing as missing:
        return paragraph(str(missing))
    return paragraph(f"not in {side.name}") if content is None else image(side.name, content)


def draw_maps(maps: Maps, old: Revision, new: Revision) -> Figure:
    """Draw both maps by class, and the new one by the share of each point's neighbours that it kept."""
    classes = class_order(old, maps.labels)
    labels = pd.Categorical(maps.labels, categories=classes).codes.astype(int)
    (before, depth), (after, new_depth) = project(maps.old), project(maps.new)
    with paper():
        figure = new_figure(15, 5.6, "The points on both maps", f"{new.name} is aligned with {old.name}")
        panels = figure.subplots(1, 3, sharex=True, sharey=True)
        draw_points(panels[0], before, depth, labels)
        draw_points(panels[1], after, new_depth, labels)
        kept = panels[2].scatter(*after.T, s=9, c=maps.kept, vmin=0, vmax=1, linewidth=0)
        figure.colorbar(kept, ax=panels[2], label="share of neighbours kept")
        for axes, name in zip(panels, (old.name, new.name, new.name), strict=True):
            axes.set(title=name, xticks=[], yticks=[], aspect="equal")
        if classes:
            legend(panels[0], *class_entries(labels, classes), loc="upper right", bbox_to_anchor=(-0.02, 1))
        return figure


def class_order(side: Revision, labels: pd.Series) -> list[str]:
    """Return the classes in the order of the samples, in which they are coloured everywhere; else sorted."""
    found = sorted(labels.dropna().unique())
    try:
        classes = classes_of(pd.read_parquet(io.BytesIO(side.read(SAMPLES)), engine="pyarrow"))
    except (Missing, TypeError, ValueError, KeyError, AttributeError, OSError):  # nowhere, or damaged
        return found
    return classes if set(found) <= set(classes) else found
