"""The page as one HTML file: the files of `web/` and the packed data, under a strict Content-Security-Policy."""

import graphlib
import html
import posixpath
import re
import string
from collections.abc import Sequence
from pathlib import Path

from stages.page.security_policy import admitted, json_text, policy

WEB = Path(__file__).with_name("web")
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


def html_document(title: str, header: dict, first: Sequence[str], later: Sequence[str]) -> str:
    """Fill in `web/page.html`.

    first: script elements with what the first drawing needs; they stand before the page's script.
    later: all other data; the map is drawn before the browser has read them.
    """
    style, script = (WEB / "page.css").read_text("utf-8"), bundle(WEB)
    first = ['<script type="application/json" id="header">' + json_text(header) + "</script>", *first]
    return string.Template((WEB / "page.html").read_text("utf-8")).substitute(
        policy=policy(script_src=admitted(script), style_src=admitted(style)),
        title=html.escape(title),
        style=style,
        script=script,
        first="\n".join(first),
        later="\n".join(later),
        dragging="turn; with Shift or the right button: move" if header["dimensions"] == 3 else "move",
    )


def data_script(text: str, **attributes: object) -> str:
    """Return a script element that no browser runs, with text from `as_text` and `data-` attributes."""
    named = "".join(f' data-{name}="{html.escape(str(value))}"' for name, value in attributes.items())
    return f'<script type="text/plain"{named}>{text}</script>'


def bundle(folder: Path) -> str:
    """Join the ES modules of a folder into one script: each in a function of its own, after those it imports."""
    sources = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.js"))}

    def resolved(name: str, address: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))

    needs = {name: [resolved(name, found[1]) for found in IMPORT.findall(text)] for name, text in sources.items()}
    parts = []
    for name in graphlib.TopologicalSorter(needs).static_order():
        body = IMPORT.sub(
            lambda found, name=name: f'const {{{found[1]}}} = modules["{resolved(name, found[2])}"];\n', sources[name]
        )
        exports = ", ".join(found[1] for found in EXPORT.findall(body))
        body = EXPORT.sub(r"\1", body)
        parts.append(f'modules["{name}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n')
    return '"use strict";\n(() => {\nconst modules = {};\n' + "".join(parts) + "})();\n"
