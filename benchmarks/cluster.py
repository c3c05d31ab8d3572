"""Very many drawn images through a Ray cluster: time for each, and the memory of every worker.

Garments are drawn into Parquet shards of 10,000, each by a task with a seed of its own; the trained autoencoder of the
workspace (`make run`) encodes and rebuilds them; t-SNE lays out the landmarks, which are chosen by density, and every
other latent is placed among them. Where it runs is FITMAP_CLUSTER; without it, this process does all. Peak memory is
VmHWM of each worker as its last task saw it, and of this process, which holds the latents.

Writes the picture docs/images/cluster_map.png with --write.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import network_from, reconstruct
from stages.cluster.connection import address, cluster
from stages.cluster.tasks import mapping
from stages.common.artifacts import read_weights
from stages.common.progress import progress
from stages.common.settings import load_params
from stages.figures.map_images import compose_map
from stages.images.garments.garments import draw_garments
from stages.images.source_shards import read_shard, write_shard
from stages.tsne import placing
from stages.tsne.embedding import PIECE, embed
from stages.tsne.landmarks import choose_landmarks

SHARD = 10_000  # images
PICTURE = Path("docs/images/cluster_map.png")
PIXELS, TILE, BINS = 1400, 28, 350  # of the picture: its sides, a landmark's image, cells of the density


def peak_mib() -> float:
    """The most memory that this process has held, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def watched(work, piece) -> tuple:
    """What `work` makes of `piece`, and which process it was with how much memory."""
    return work(piece), f"{platform.node()} {os.getpid()}", peak_mib()


def draw_shard(folder: str, number: int) -> dict:
    images, labels, _ = draw_garments(SHARD, seed=number)
    return write_shard(f"{folder}/{number:05}.parquet", images, labels)


def extract_shard(network: Autoencoder, entry: dict) -> tuple[np.ndarray, float]:
    """Latents of a shard, and the mean squared error of its reconstructions."""
    images, _ = read_shard(entry["path"], entry["sha256"], entry["rows"], (28, 28))
    latents, _, errors = reconstruct(network, images, "cpu")
    return latents, float(errors.mean())


def measure(count: int, folder: str) -> tuple[dict[str, float], Figure]:
    shards, params = count // SHARD, load_params("tsne")
    network = network_from(*read_weights("data/autoencoder.safetensors"))
    workers, figures, parent = {}, {"images": shards * SHARD}, {}

    def run(name: str, work, pieces, total: int) -> list:
        start, results = time.perf_counter(), []
        for result, worker, peak in progress(mapping()(partial(watched, work), pieces), name, total=total):
            workers[worker] = max(peak, workers.get(worker, 0))
            results.append(result)
        figures[f"{name}_seconds"] = time.perf_counter() - start
        figures[f"{name}_us_per_image"] = figures[f"{name}_seconds"] / count * 1e6
        parent[name] = max(workers.values())
        return results

    entries = run("draw", partial(draw_shard, folder), range(shards), shards)
    extracted = run("extract", partial(extract_shard, network), entries, shards)
    latents = np.concatenate([latents for latents, _ in extracted])
    figures["mse"] = float(np.mean([error for _, error in extracted]))
    start = time.perf_counter()
    landmarks = choose_landmarks(latents, params.points, params.seed, mapping())
    figures["landmarks_seconds"] = time.perf_counter() - start
    positions, _ = embed(latents[landmarks], params)
    figures["landmarks_and_tsne_seconds"] = time.perf_counter() - start
    pieces = [latents[start : start + PIECE] for start in range(0, count, PIECE)]
    placed = np.concatenate(run("place", partial(placing.place, latents[landmarks], positions), pieces, len(pieces)))
    assert placed.shape == (count, 2)
    figures |= {f"peak_mib_after_{name}": peak for name, peak in parent.items()}
    figures |= {"workers": len(workers), "largest_worker_mib": max(workers.values()), "this_process_mib": peak_mib()}
    return figures, picture(placed, positions, *images_of(landmarks, entries))


def images_of(landmarks: np.ndarray, entries: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the landmarks, from the shards that hold them."""
    found = []
    for number, entry in enumerate(entries):
        images, labels = read_shard(entry["path"], entry["sha256"], entry["rows"], (28, 28))
        rows = landmarks[landmarks // SHARD == number] % SHARD
        found.append((images[rows], labels[rows]))
    images, labels = zip(*found, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def picture(placed: np.ndarray, positions: np.ndarray, images: np.ndarray, labels: np.ndarray) -> Figure:
    """How dense all images lie on the map, beside the landmarks' images at their places."""
    figure = Figure((14, 7), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    counts, x, y = np.histogram2d(*placed.T, bins=BINS)
    extent = (x[0], x[-1], y[0], y[-1])
    left.imshow(np.log1p(counts.T), origin="lower", extent=extent, aspect="equal", cmap="magma")
    left.set_title(f"{len(placed):,} images: how many lie where, log scale")
    right.imshow(compose_map(positions, images, labels, PIXELS, TILE)[0])
    right.set_title(f"the {len(positions):,} landmarks among which they were placed")
    for axes in (left, right):
        axes.set_axis_off()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000, help="how many, a multiple of 10,000 (20000)")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--write", action="store_true", help=f"renew the picture {PICTURE}")
    options = parser.parse_args()
    with cluster("extract_latents"), tempfile.TemporaryDirectory() as folder:
        figures, figure = measure(options.images // SHARD * SHARD, folder)
    for key, value in figures.items():
        print(f"{key:28} {value:14,.4g}" if isinstance(value, float) else f"{key:28} {value:14,}")
    if options.write:
        figure.savefig(PICTURE)
    if options.json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "cluster": address()}
        print(json.dumps({"benchmark": "cluster", "machine": machine, "figures": figures}))


if __name__ == "__main__":
    main()
