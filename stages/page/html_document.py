"""A page as one HTML file: its files and the packed data, under a strict Content-Security-Policy."""

import graphlib
import html
import os
import re
import string
from collections.abc import Sequence
from pathlib import Path

from stages.page.security_policy import admitted, json_text, policy

BASE_STYLE = Path(__file__).with_name("web") / "base.css"
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


def html_document(folder: Path, title: str, first: Sequence[str], later: Sequence[str] = (), **words: str) -> str:
    """Fill in `page.html` of a folder of web files, with its `page.css` and all that its `main.js` imports.

    first: script elements with what the first drawing needs; they stand before the page's script.
    later: all other data; the first drawing is done before the browser has read them.
    words: further placeholders of `page.html`.
    """
    style, script = BASE_STYLE.read_text("utf-8") + (folder / "page.css").read_text("utf-8"), bundle(folder / "main.js")
    return string.Template((folder / "page.html").read_text("utf-8")).substitute(
        policy=policy(script_src=admitted(script), style_src=admitted(style)),
        title=html.escape(title),
        style=style,
        script=script,
        first="\n".join(first),
        later="\n".join(later),
        **words,
    )


def json_script(name: str, value: object) -> str:
    """Return a script element with the id `name` that holds JSON."""
    return f'<script type="application/json" id="{name}">{json_text(value)}</script>'


def data_script(text: str, **attributes: object) -> str:
    """Return a script element that no browser runs, with text from `as_text` and `data-` attributes."""
    named = "".join(f' data-{name}="{html.escape(str(value))}"' for name, value in attributes.items())
    return f'<script type="text/plain"{named}>{text}</script>'


def bundle(main: Path) -> str:
    """Join an ES module and all that it imports into one script, each module in a function of its own."""
    sources, needs, waiting = {}, {}, [main.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in sources:
            sources[path] = path.read_text("utf-8")
            needs[path] = [(path.parent / found[1]).resolve() for found in IMPORT.findall(sources[path])]
            waiting += needs[path]
    names = {path: os.path.relpath(path, main.parent.resolve()).replace(os.sep, "/") for path in sources}
    parts = []
    for path in graphlib.TopologicalSorter({path: sorted(needs[path]) for path in sorted(needs)}).static_order():
        body = IMPORT.sub(
            lambda found, path=path: (
                f'const {{{found[1]}}} = modules["{names[(path.parent / found[2]).resolve()]}"];\n'
            ),
            sources[path],
        )
        exports = ", ".join(found[1] for found in EXPORT.findall(body))
        body = EXPORT.sub(r"\1", body)
        parts.append(f'modules["{names[path]}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n')
    return '"use strict";\n(() => {\nconst modules = {};\n' + "".join(parts) + "})();\n"
