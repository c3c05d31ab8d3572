"""Run one stage, as `dvc.yaml` does: python -m stages NAME."""

import sys
from importlib import import_module

from stages.cluster.connection import cluster
from stages.pipeline.errors import InputError, run
from stages.pipeline.provenance import made_from


def main() -> None:
    """Run the stage's `main`, then write what its outs were made from to data/made_from/NAME.json."""
    if len(sys.argv) != 2:
        raise InputError("name one stage of dvc.yaml, as in `python -m stages generate_curve`")
    stage = sys.argv[1]
    origin = made_from(stage)  # first of all: what is imported and read from here on is what was hashed, or newer

    from stages.pipeline import checkpoint
    from stages.pipeline.artifacts import write_json

    checkpoint.begin(stage, origin)
    with cluster(stage):
        import_module(f"stages.{stage}").main()
    write_json(f"data/made_from/{stage}.json", origin)
    checkpoint.end()
    if made_from(stage) != origin:
        print(
            f"fitmap: code, parameters or inputs of {stage} were edited while it ran, and DVC will record the edit as "
            f"if it had been used: run `dvc repro --force --single-item {stage}`",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
