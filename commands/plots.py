"""`fitmap plots`: what `dvc plots show` and `dvc plots diff` have, as a page that loads nothing from outside."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from commands.charts_page import chart, charts_page
from commands.comparison_page import paragraph, picture_pair, section
from stages.common.artifacts import write_text
from stages.common.errors import InputError


def plots(revisions: Sequence[str], path: Path) -> None:
    """Write the page of the workspace's plots, or of those of `revisions` beside each other, and print where it is."""
    with TemporaryDirectory(prefix="fitmap-") as folder:
        found = read_plots(revisions, folder)
        sections = [section(name, *parts(name, entries)) for name, entries in found.items()]
    compared = (
        " and ".join(revisions) if len(revisions) > 1 else f"{revisions[0]} and the workspace" if revisions else ""
    )
    title = f"Plots of {compared}" if compared else "Plots of the workspace"
    write_text(str(path), charts_page(title, f"{len(sections)} plots", sections))
    print(f"the page: {path}")


def read_plots(revisions: Sequence[str], folder: str) -> dict[str, list[dict]]:
    """What DVC has for each plot: Vega-Lite charts, and pictures that it puts into `folder`."""
    asked = ["diff", *revisions] if revisions else ["show"]
    command = [sys.executable, "-m", "dvc", "plots", *asked, "--json", "--out", folder]
    if any(revision.startswith("-") for revision in revisions):
        raise InputError(f"{' '.join(revisions)}: a revision does not begin with a dash")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise InputError(said[0].removeprefix("ERROR: ") if said else f"dvc plots failed: {done.stderr[-300:]}")
    content = json.loads(done.stdout)
    for error in content.get("errors", []):
        print(f"fitmap: {error.get('name')} of {error.get('rev')} is not shown: {error.get('msg')}", file=sys.stderr)
    if not content.get("data"):
        raise InputError("there is nothing to plot: `dvc repro` makes it, `dvc pull` fetches it")
    return content["data"]


def parts(name: str, entries: list[dict]) -> list[str]:
    """One plot's charts, and its pictures of all revisions beside each other."""
    charts = [chart(entry["content"]) for entry in entries if entry["type"] == "vega"]
    images = [entry for entry in entries if entry["type"] == "image"]
    sides = [(", ".join(entry["revisions"]), Path(entry["url"]).read_bytes()) for entry in images]
    unknown = [entry["type"] for entry in entries if entry["type"] not in ("vega", "image")]
    notes = [paragraph(f"a plot of type {kind} is not shown", "note") for kind in unknown]
    return [*charts, *([picture_pair(name, sides)] if sides else []), *notes]
