"""The command `fitmap`: what a user asks of finished models. It runs in the project's folder, as `dvc` does."""

from pathlib import Path
from typing import Annotated

import typer

from stages.pipeline.errors import run

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def fitmap() -> None:
    """Ask the models that the pipeline made."""


@app.command()
def place(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    picture: Annotated[
        Path | None,
        typer.Option(help="Where to draw the map with the new images; plots/placed.png, or nowhere with --json."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Where to write the map page with the new images; nowhere unless given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list for programs.")] = False,
) -> None:
    """Place new images on the map: what each is like, where it stands, and a warning if it does not belong there."""
    from commands.place import place

    place(images, picture, page, json)


def main() -> None:
    """The console entry point; an `InputError` becomes one line on stderr and exit status 1."""
    run(app)


if __name__ == "__main__":
    main()
