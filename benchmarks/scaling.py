"""How time and memory of t-SNE grow with the number of points: fitmap, openTSNE and scikit-learn, each alone.

Latents are drawn: a mixture of 50 overlapping Gaussians in 32 dimensions, perplexity 30, two threads. Every run is a
process of its own, so that its peak of memory is its own; time is from latents to positions, without imports and
compilation. An engine goes on to the next size as long as the last one, continued by its slope, promises to stay below
`--minutes`. With `--kept FILE`, what that file holds is not measured again and each new figure is added to it, so that
the whole can be taken in parts. The slope is that of log time over log points between an engine's two largest sizes.

Writes the table in docs/performance.md, between its marks, and the picture beside it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.tsne import ENGINES, peak_mb
from stages.common.settings import load_params

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 70_000, 100_000, 200_000)
COLOURS = {"fitmap": "#d1242f", "opentsne": "#1861ce", "opentsne_fft": "#6db655", "sklearn": "#aa6d00"}
NAMES = {
    "fitmap": "fitmap",
    "opentsne": "openTSNE, Barnes-Hut",
    "opentsne_fft": "openTSNE, interpolation",
    "sklearn": "scikit-learn",
}
PAGE, PICTURE = Path("docs/performance.md"), Path("docs/images/scaling.png")
START, END = "<!-- scaling: start -->", "<!-- scaling: end -->"


def mixture(count: int) -> np.ndarray:
    """Latents float32 (count, 32)."""
    draw = np.random.default_rng(0)
    centres = draw.normal(0, 1.5, (50, 32))
    return (centres[draw.integers(0, 50, count)] + draw.normal(size=(count, 32))).astype(np.float32)


def run_alone(engine: str, count: int) -> None:
    """In a process of its own: map `count` latents and print seconds and peak memory as JSON."""
    params = load_params("tsne").model_copy(update={"engine": "fitmap", "device": "cpu"})
    latents = mixture(count)
    if engine == "fitmap":
        from stages.tsne import descent

        short = params.model_copy(update={"early_iterations": 1, "iterations": 1, "n_components": 2})
        chosen = descent.ALL_PAIRS_UP_TO
        for descent.ALL_PAIRS_UP_TO in (0, chosen):  # compiled, or read from the cache
            ENGINES[engine](latents[:500], short)
    start = time.perf_counter()
    ENGINES[engine](latents, params)
    print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}))


def measure(engine: str, sizes: list[int], limit: float, kept: Path | None) -> dict[int, dict[str, float]]:
    """Seconds and peak memory of one engine for as many `sizes` as promise to stay below `limit` seconds."""
    results: dict[int, dict[str, float]] = {}
    for count in sizes:
        if results and promised(results, count) > limit:
            break
        known = json.loads(kept.read_text()) if kept and kept.is_file() else {}
        if f"{engine} {count}" in known:
            results[count] = known[f"{engine} {count}"]
            continue
        command = [sys.executable, "-m", "benchmarks.scaling", "--alone", engine, str(count)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        results[count] = json.loads(done.stdout.splitlines()[-1])
        if kept:
            kept.write_text(json.dumps({**known, f"{engine} {count}": results[count]}, indent=1))
        print(
            f"{engine:13} {count:8,} {results[count]['seconds']:8.1f} s {results[count]['peak_mb']:7.0f} MB", flush=True
        )
    return results


def slope(results: dict[int, dict[str, float]]) -> float:
    """The power of the number of points with which time grows, between the two largest sizes; nan for only one."""
    if len(results) < 2:
        return float("nan")
    (small, first), (large, last) = list(results.items())[-2:]
    return float(np.log(last["seconds"] / first["seconds"]) / np.log(large / small))


def promised(results: dict[int, dict[str, float]], count: int) -> float:
    """Seconds for `count` points, continued from the largest size so far; at least in proportion."""
    largest, last = list(results.items())[-1]
    power = slope(results)
    return last["seconds"] * (count / largest) ** (max(power, 1) if np.isfinite(power) else 1)


def table(results: dict[str, dict[int, dict[str, float]]]) -> str:
    """Markdown: a row for each number of points, seconds and MB for each engine, then the slopes."""
    counts = sorted({count for found in results.values() for count in found})
    lines = [
        "| points | " + " | ".join(NAMES[engine] for engine in results) + " |",
        "| ---: |" + " ---: |" * len(results),
    ]
    for count in counts:
        cells = (
            f"{found[count]['seconds']:.1f} s, {found[count]['peak_mb']:,.0f} MB" if count in found else ""
            for found in results.values()
        )
        lines.append(f"| {count:,} | " + " | ".join(cells) + " |")
    lines.append("| slope | " + " | ".join(f"{slope(found):.2f}" for found in results.values()) + " |")
    return "\n".join(lines)


def draw(results: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    figure = Figure((9, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, key, label in zip(
        figure.subplots(1, 2), ("seconds", "peak_mb"), ("seconds", "peak memory, MB"), strict=True
    ):
        for engine, found in results.items():
            values = [result[key] for result in found.values()]
            axes.plot(list(found), values, "o-", color=COLOURS[engine], label=NAMES[engine], markersize=4)
        axes.set(xscale="log", yscale="log", xlabel="points", title=label)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of points (200000)")
    parser.add_argument("--minutes", type=float, default=10, help="the longest that one run should take (10)")
    parser.add_argument("--kept", type=Path, help="a JSON file of figures from earlier, renewed as they come in")
    parser.add_argument("--write", action="store_true", help=f"renew the table in {PAGE} and {PICTURE}")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        return run_alone(options.alone[0], int(options.alone[1]))

    sizes = [size for size in SIZES if size <= options.most]
    results = {engine: measure(engine, sizes, 60 * options.minutes, options.kept) for engine in ENGINES}
    print(table(results))
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        after = rest.partition(END)[2]
        picture = f"![Time and peak memory over the number of points]({PICTURE.relative_to(PAGE.parent)})"
        PAGE.write_text(f"{before}{START}\n{table(results)}\n\n{picture}\n{END}{after}", encoding="utf-8")
        draw(results, PICTURE)
    if options.json:
        figures = {
            f"{key}_{engine}_{count}": round(value, 3)
            for engine, found in results.items()
            for count, result in found.items()
            for key, value in result.items()
        }
        figures |= {f"slope_{engine}": round(slope(found), 3) for engine, found in results.items() if len(found) > 1}
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "scaling", "machine": machine, "figures": figures}))


if __name__ == "__main__":
    main()
