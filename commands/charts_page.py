"""DVC's charts as one HTML file that loads nothing: Vega's scripts, the data and the pictures are all in it.

The page of `dvc plots show` takes three scripts from a public server, and data with `</script>` in them would end its
own. Here they are JSON that no parser takes for a tag, and a policy admits the embedded scripts by their hashes alone.
"""

import html
from collections.abc import Iterable

from commands.report import FOLDER, report_page
from stages.page.security_policy import json_text

SCRIPTS = ("vega/vega.js", "vega/vega-lite.js", "vega/vega-embed.js", "charts.js")
TOOLTIP = """<div id="tooltip" role="tooltip" hidden></div>
<noscript><p class="note">The charts are drawn by JavaScript, which is switched off in this browser.</p></noscript>"""


def charts_page(title: str, note: str, sections: Iterable[str]) -> str:
    """The page. `sections` hold what `chart` and comparison_page's functions make; all else is plain text."""
    scripts = [(FOLDER / name).read_text("utf-8") for name in SCRIPTS]
    return report_page(title, html.escape(title), note, [*sections, TOOLTIP], scripts)


def chart(specification: dict) -> str:
    """A Vega-Lite chart with its data; its title is the section's already."""
    specification = {key: value for key, value in specification.items() if key != "title"}
    return f'<div class="chart"></div><script type="application/json" data-chart>{json_text(specification)}</script>'
