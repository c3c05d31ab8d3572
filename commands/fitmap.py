"""The command `fitmap`: use, compare and check the results of the pipeline. It runs in the project's folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.common.errors import run

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def fitmap() -> None:
    """Use, compare and check the results of the pipeline."""


@app.command("predict", context_settings={"ignore_unknown_options": True})  # so that -1.5 is a value
def predict_command(
    values: Annotated[list[str] | None, typer.Argument(metavar="X…", help="Values of x.")] = None,
    csv: Annotated[str | None, typer.Option(help="Take x from this CSV file; print CSV with all its columns.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict y at new x, with its 90 % band.

    Example: fitmap predict -1.5 2 3.7
    """
    from commands.predict import predict_values

    predict_values(values or [], csv, json)


@app.command()
def claims(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Which claims; all if none.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure.")] = 1,
) -> None:
    """Measure the claims of docs/claims.md.

    Rows that are measured already are kept: delete experiments/claims/*.csv to measure them again.
    """
    from experiments.claims_page import measure_claims

    measure_claims(names or [], jobs)


@app.command()
def place(
    files: Annotated[
        list[Path],
        typer.Argument(help="Image files or folders of them; tables of vectors if the map was made of one."),
    ],
    picture: Annotated[
        Path | None,
        typer.Option(help="Where to draw the map with the new rows; plots/placed.png, or nowhere with --json."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Where to write the map page with the new rows; nowhere unless given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list for programs.")] = False,
) -> None:
    """Place new images or vectors on the map.

    Prints the class, the neighbours and the place of each, and a warning if it is unlike the training data.
    """
    from commands.place import place

    place(files, picture, page, json)


@app.command()
def summary() -> None:
    """Say the results of the last run in words."""
    from commands.summary import summary

    summary()


@app.command("review")
def review_command(
    kind: Annotated[
        list[str] | None, typer.Option(help="leak, duplicate, label, outlier or thin; all if none.")
    ] = None,
    fail_on: Annotated[list[str] | None, typer.Option(help="Exit with 1 if there are findings of this kind.")] = None,
    csv: Annotated[str | None, typer.Option(help="Write the findings to this CSV file too.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List duplicates, leaks, suspect labels and outliers.

    Example: fitmap review --kind label --fail-on leak
    """
    from commands.review import review

    review(kind or [], fail_on or [], csv, json)


@app.command()
def verify(
    remote: Annotated[str | None, typer.Option(metavar="NAME", help="Check the objects of this remote too.")] = None,
    all_commits: Annotated[bool, typer.Option("--all-commits", help="With --remote: check all commits.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check artifacts against dvc.lock, here and on a remote.

    Example: fitmap verify --remote storage
    """
    from commands.verify import verify

    verify(remote, all_commits, json)


@app.command()
def compare(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REV [REV2]]", help="Git revisions or experiments; HEAD, and the workspace as the second."
        ),
    ] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(
            help="0.5% (relative), 0.01 (absolute), or KEY=0.01 for one metric. Default: what another CPU changes."
        ),
    ] = None,
    only_worse: Annotated[bool, typer.Option("--only-worse", help="Exit with 1 only if a metric got worse.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw both maps, aligned, into this PNG file.")] = None,
) -> None:
    """Compare metrics, settings and maps of revisions.

    Exit status 1 if a metric changed beyond its tolerance.
    """
    from commands.compare.compare import compare

    compare(
        revisions or [], tolerance or [], only_worse, "json" if json else "markdown" if markdown else "text", picture
    )


@app.command()
def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="regressor or encoder.")],
    file: Annotated[Path, typer.Argument(help="The ONNX file to write.")],
) -> None:
    """Export the regressor or the encoder to ONNX.

    The file is checked with onnxruntime. Example: fitmap export regressor curve.onnx
    """
    from commands.export import export

    export(model, file)


def main() -> None:
    """Run the command; an `InputError` becomes one line on stderr and exit status 1."""
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are no text
    run(app)


if __name__ == "__main__":
    main()
