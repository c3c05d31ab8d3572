"""The project's own t-SNE beside openTSNE's and scikit-learn's: time, divergence, neighbour recall and placed accuracy.

Latents are those of the default autoencoder, trained here on the slice of real Fashion-MNIST in `--images` (7,000
training images; without it on drawn garments). 6,000 of them are mapped by every engine in turns, on two threads, each
from latents to positions; medians are taken. openTSNE's best is the faster of its two ways, Barnes-Hut and
interpolation, with exact neighbours (which are its fastest here) and its default schedule.

70,000 are the same images, and copies of them turned, scaled and shifted a little, through the encoder. The engines'
divergences are all taken again here, exactly, against the same affinities. openTSNE's map of 70,000 takes many
minutes: `--skip-opentsne-70000` leaves it out. The peak of memory is that of a process that reads the latents, maps
and scores them and does nothing else.

Compilation is what a first run costs more than a second, with an empty cache.

`--gpu` instead lays the 70,000 out on a CUDA device by our engine, and 40,000 of them in turns by ours and by TorchDR's
TSNE, for as many iterations, each warmed up on a few; it needs `torchdr`. TorchDR holds all pairs in the device's
memory, tens of GB; `--torchdr keops` lets KeOps keep them in its registers instead.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from stages.common.settings import TsneParams, load_params
from stages.scores.map import knn_accuracy, knn_recall, trustworthiness
from stages.tsne import gpu
from stages.tsne.affinities import joint_affinities
from stages.tsne.descent import principal_start
from stages.tsne.embedding import embed, place
from stages.tsne.forces import divergence

POINTS, MANY, TORCHDR_POINTS = 6_000, 70_000, 40_000
THREADS = 2

Engine = Callable[[np.ndarray, TsneParams], np.ndarray]


def ours(latents: np.ndarray, params: TsneParams) -> np.ndarray:
    return embed(latents, params)[0]


def sklearn(latents: np.ndarray, params: TsneParams) -> np.ndarray:
    from sklearn.manifold import TSNE

    return TSNE(perplexity=params.perplexity, random_state=params.seed, n_jobs=THREADS).fit_transform(latents)


def opentsne(method: str) -> Engine:
    def fit(latents: np.ndarray, params: TsneParams) -> np.ndarray:
        import openTSNE

        return np.asarray(
            openTSNE.TSNE(
                perplexity=params.perplexity,
                neighbors="exact",
                negative_gradient_method=method,
                random_state=params.seed,
                n_jobs=THREADS,
            ).fit(latents)
        )

    return fit


ENGINES: dict[str, Engine] = {
    "fitmap": ours,
    "sklearn": sklearn,
    "opentsne": opentsne("bh"),
    "opentsne_fft": opentsne("fft"),
}


def augmented(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The images uint8 (n, h, w) and, up to `count`, copies turned, scaled, shifted and one in two mirrored."""
    from PIL import Image

    draw = np.random.default_rng(seed)
    height, width = images.shape[1:]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    copies = [images[:count]]
    for number in range(count - len(images)):
        angle, scale = draw.normal(0, np.deg2rad(5)), np.exp(draw.normal(0, 0.06))
        shift_x, shift_y = draw.normal(0, 1, 2)
        cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
        right = centre_x - cosine * centre_x - sine * centre_y + shift_x
        down = centre_y + sine * centre_x - cosine * centre_y + shift_y
        image = Image.fromarray(images[number % len(images)])
        turned = image.transform(
            (width, height),
            Image.Transform.AFFINE,
            (cosine, sine, right, -sine, cosine, down),
            Image.Resampling.BILINEAR,
        )
        copies.append(np.asarray(turned)[None, :, :: draw.choice((-1, 1))])
    return np.concatenate(copies)


def make_latents(folder: Path, count: int) -> dict[str, np.ndarray]:
    """Latents of training and test images with their labels, and `many` (count, d), the former and their copies."""
    from stages.autoencoder.training import encode, train
    from stages.images.sources import drawn_images, fashion_mnist_images

    real = folder.is_dir()
    images = fashion_mnist_images(str(folder)) if real else drawn_images(load_params("images"))
    print(f"autoencoder on {len(images.train_images):,} {'real images' if real else 'drawn garments'}", flush=True)
    network, _ = train(images.train_images, load_params("autoencoder"))
    return {
        "train": encode(network, images.train_images, "cpu"),
        "test": encode(network, images.test_images, "cpu"),
        "train_labels": images.train_labels,
        "test_labels": images.test_labels,
        "many": encode(network, augmented(images.train_images, count, seed=0), "cpu"),
    }


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compile_seconds() -> float:
    """What a run costs more in a new process with an empty cache of compiled code than in one with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        run = [sys.executable, "-m", "stages.tsne.compile_kernels"]
        empty, full = (
            timed(lambda: subprocess.run(run, env=environment, check=True, stderr=subprocess.DEVNULL))[0]
            for _ in range(2)
        )
    return empty - full


def measure_points(latents: dict[str, np.ndarray], params: TsneParams, points: int, rounds: int) -> dict[str, dict]:
    """For each engine its median seconds, divergence, recall and placed accuracy on the first `points` latents."""
    train, labels = latents["train"][:points], latents["train_labels"][:points]
    affinities = joint_affinities(train, params.perplexity)
    seconds = {name: [] for name in ENGINES}
    maps = {}
    ours(train[:500], params)  # compiled or read from the cache
    for _ in range(rounds):
        for name, engine in ENGINES.items():
            taken, maps[name] = timed(lambda engine=engine: engine(train, params))
            seconds[name].append(taken)
            print(f"{name:12} {taken:7.1f} s", flush=True)
    results = {}
    for name, positions in maps.items():
        placed = opentsne_placed(train, positions, latents["test"], params) if name == "opentsne" else None
        if placed is None:
            placed = place(train, positions.astype(np.float32), latents["test"])
        results[name] = {
            "seconds": statistics.median(seconds[name]),
            "kl": divergence(np.ascontiguousarray(positions.T, dtype=np.float32), affinities),
            "recall": float(knn_recall(train, positions.astype(np.float32), 15).mean()),
            "placed": knn_accuracy(positions, labels, placed, latents["test_labels"], 5),
        }
    return results


def opentsne_placed(latents: np.ndarray, positions: np.ndarray, new: np.ndarray, params: TsneParams) -> np.ndarray:
    """openTSNE's own way to place new points on its map."""
    import openTSNE

    affinities = openTSNE.affinity.PerplexityBasedNN(
        latents, perplexity=params.perplexity, method="exact", n_jobs=THREADS
    )
    return np.asarray(openTSNE.TSNEEmbedding(positions, affinities, n_jobs=THREADS).transform(new))


def map_alone(file: str) -> None:
    """In a process of its own: map the latents in `file`, score them, and print what it took as JSON."""
    latents = np.load(file)
    params = load_params("tsne").model_copy(update={"engine": "fitmap", "points": len(latents), "device": "cpu"})
    ours(latents[:500], params)
    seconds, positions = timed(lambda: ours(latents, params))
    score_seconds, scores = timed(
        lambda: np.array([trustworthiness(latents, positions, 12), knn_recall(latents, positions, 15).mean()])
    )
    np.save(file, positions)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "score_seconds": score_seconds,
                "trustworthiness": scores[0],
                "recall": scores[1],
                "peak_mb": peak_mb(),
            }
        )
    )


def peak_mb() -> float:
    """The largest resident memory of this process so far, in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3) * (1.0 if sys.platform == "darwin" else 1.024)


def measure_many(latents: np.ndarray, params: TsneParams, with_opentsne: bool) -> dict[str, float]:
    """Seconds, exact divergence and peak memory for all of `latents`; openTSNE's divergence by interpolation."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/latents.npy"
        np.save(file, latents)
        command = [sys.executable, "-m", "benchmarks.tsne", "--map-alone", file]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout.splitlines()[-1])
        positions = np.load(file)
    print(f"{len(latents):,}: {result}", flush=True)
    affinities = joint_affinities(latents, params.perplexity)
    result["kl"] = divergence(np.ascontiguousarray(positions.T), affinities)
    if with_opentsne:
        result["opentsne_seconds"], positions = timed(lambda: opentsne("fft")(latents, params))
        result["opentsne_kl"] = divergence(np.ascontiguousarray(positions.T, dtype=np.float32), affinities)
    return result


def measure_gpu(latents: np.ndarray, params: TsneParams, rounds: int, backend: str | None) -> dict[str, float]:
    """Median seconds on a CUDA device: our optimisation of all latents, and from latents to map ours and TorchDR's of
    some; and the divergences these two reach."""
    if not gpu.gpu_is_there():
        sys.exit("benchmarks.tsne: --gpu needs a CUDA device, and torch sees none")
    try:
        from torchdr import TSNE
    except ImportError:
        sys.exit("benchmarks.tsne: --gpu needs TorchDR: pip install torchdr")
    params = params.model_copy(update={"device": "cuda"})
    like = {"perplexity": params.perplexity, "device": "cuda", "backend": backend, "random_state": params.seed}

    def torchdr(latents: np.ndarray, params: TsneParams, **limits: int) -> np.ndarray:
        return TSNE(**{"max_iter": params.early_iterations + params.iterations, **like, **limits}).fit_transform(
            latents
        )

    ours(latents[:2000], params)
    torchdr(latents[:2000], params, max_iter=10)
    affinities, start = joint_affinities(latents, params.perplexity), principal_start(latents, 2, params.seed)
    some = latents[:TORCHDR_POINTS]
    sides = {
        "optimisation": lambda: gpu.descend(start, affinities, params).T,
        "fitmap": lambda: ours(some, params),
        "torchdr": lambda: torchdr(some, params),
    }
    seconds, maps = {name: [] for name in sides}, {}
    for _ in range(rounds):
        for name, side in sides.items():
            taken, maps[name] = timed(side)
            seconds[name].append(taken)
            print(f"{name:12} {taken:7.2f} s", flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    affinities_of_some = joint_affinities(some, params.perplexity)

    def kl(name: str, affinities: csr_array) -> float:
        return divergence(np.ascontiguousarray(maps[name].T, dtype=np.float32), affinities)

    return {
        "gpu_optimisation_seconds_70000": medians["optimisation"],
        "gpu_kl_70000": kl("optimisation", affinities),
        "gpu_seconds_40000": medians["fitmap"],
        "torchdr_over_fitmap_40000": medians["torchdr"] / medians["fitmap"],
        "kl_fitmap_40000": kl("fitmap", affinities_of_some),
        "kl_torchdr_40000": kl("torchdr", affinities_of_some),
    }


def report(figures: dict[str, float], as_json: bool) -> None:
    """Print the figures, and if `as_json` the line of JSON."""
    figures = {name: round(value, 4) for name, value in figures.items()}
    for name, value in figures.items():
        print(f"{name:34} {value:12.4f}")
    if as_json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "tsne", "machine": machine, "figures": figures}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each engine, in turns (3)")
    parser.add_argument("--points", type=int, default=POINTS, help="latents for all engines (6000)")
    parser.add_argument("--many", type=int, default=MANY, help="latents for the large map (70000)")
    parser.add_argument(
        "--images", type=Path, default=Path("data/fashion-mnist"), help="where Fashion-MNIST lies (else drawn garments)"
    )
    parser.add_argument("--skip-opentsne-70000", action="store_true", help="leave out the slowest of all")
    parser.add_argument("--gpu", action="store_true", help="our engine and TorchDR's on a CUDA device, nothing else")
    parser.add_argument("--torchdr", choices=["keops"], help="TorchDR's backend (torch itself)")
    parser.add_argument("--map-alone", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.map_alone:
        return map_alone(options.map_alone)

    params = load_params("tsne").model_copy(update={"engine": "fitmap", "device": "cpu"})
    if options.gpu:
        latents = make_latents(options.images, options.many)["many"]
        return report(measure_gpu(latents, params, options.rounds, options.torchdr), options.json)
    figures = {"compile_seconds": compile_seconds()}
    latents = make_latents(options.images, options.many)
    results = measure_points(latents, params, options.points, options.rounds)
    many = measure_many(latents["many"], params, not options.skip_opentsne_70000)

    print(f"{'engine':12} {'seconds':>8} {'KL':>7} {'recall':>7} {'placed':>7}")
    for name, result in results.items():
        print("{:12} {seconds:8.2f} {kl:7.4f} {recall:7.4f} {placed:7.4f}".format(name, **result))
    seconds = {name: result["seconds"] for name, result in results.items()}
    best = min(("opentsne", "opentsne_fft"), key=seconds.get)
    figures |= {
        "sklearn_over_fitmap_6000": seconds["sklearn"] / seconds["fitmap"],
        "opentsne_over_fitmap_6000": seconds[best] / seconds["fitmap"],
        "fitmap_70000_over_sklearn_6000": many["seconds"] / seconds["sklearn"],
        "seconds_70000": many["seconds"],
        "score_seconds_70000": many["score_seconds"],
        "kl_70000": many["kl"],
        "peak_mb_70000": many["peak_mb"],
    }
    for name in ("fitmap", "sklearn", "opentsne"):
        figures |= {f"{key}_{name}_6000": results[name][key] for key in ("seconds", "kl", "recall", "placed")}
    if "opentsne_kl" in many:
        figures["kl_over_opentsne_70000"] = many["kl"] / many["opentsne_kl"]
        figures["opentsne_seconds_70000"] = many["opentsne_seconds"]
    report(figures, options.json)


if __name__ == "__main__":
    main()
