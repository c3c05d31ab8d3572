"""What all benchmarks share: the option `--json`, and how figures are printed."""

import argparse
import json
import os
import platform
from collections.abc import Mapping


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the option `--json`; its help begins with the first line of `description`."""
    options = argparse.ArgumentParser(description=description.splitlines()[0])
    options.add_argument("--json", action="store_true", help="end with one line of JSON")
    return options


def report(benchmark: str, figures: Mapping[str, float], as_json: bool, digits: int = 4) -> None:
    """Print the rounded figures, one a line, and at last all of them with the machine as a line of JSON."""
    figures = {name: round(float(value), digits) for name, value in figures.items()}
    print("\n".join(f"{name:40} {value:12g}" for name, value in figures.items()))
    if as_json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": benchmark, "machine": machine, "figures": figures}))
