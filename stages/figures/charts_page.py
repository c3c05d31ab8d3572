"""DVC's charts as one HTML file that loads nothing: Vega's scripts, the data and the pictures are all in it.

The page of `dvc plots show` takes three scripts from a public server, and data with `</script>` in them would end its
own. Here they are JSON that no parser takes for a tag, and a policy admits the embedded scripts by their hashes alone.
"""

import html
import string
from collections.abc import Iterable
from pathlib import Path

from stages.figures.document import admitted, json_text, policy

FOLDER = Path(__file__).with_name("reports")
SCRIPTS = ("vega/vega.js", "vega/vega-lite.js", "vega/vega-embed.js", "charts.js")


def charts_page(title: str, note: str, sections: Iterable[str]) -> str:
    """The page. `sections` hold what `chart` and comparison_page's functions make; all else is plain text."""
    style = (FOLDER / "style.css").read_text("utf-8")
    scripts = [(FOLDER / name).read_text("utf-8") for name in SCRIPTS]
    return string.Template((FOLDER / "charts.html").read_text("utf-8")).substitute(
        policy=policy(script_src=" ".join(map(admitted, scripts)), style_src=admitted(style), img_src="data:"),
        style=style,
        title=html.escape(title),
        note=html.escape(note),
        sections="\n".join(sections),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def chart(specification: dict) -> str:
    """A Vega-Lite chart with its data; its title is the section's already."""
    specification = {key: value for key, value in specification.items() if key != "title"}
    return f'<div class="chart"></div><script type="application/json" data-chart>{json_text(specification)}</script>'
