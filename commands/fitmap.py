"""The command `fitmap`: what a user asks of finished models. It runs in the project's folder, as `dvc` does."""

import typer

from stages.pipeline.errors import run

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def fitmap() -> None:
    """Ask the models that the pipeline made."""


def main() -> None:
    """The console entry point; an `InputError` becomes one line on stderr and exit status 1."""
    run(app)


if __name__ == "__main__":
    main()
