"""fitmap's t-SNE beside scikit-learn's and openTSNE's: time, KL divergence, neighbour recall and placed accuracy.

The latents are those of the default autoencoder, trained here on Fashion-MNIST in `images.root` (on drawn garments if
it is not there). Each engine maps the same 6,000 of them on two threads with its default schedule, from latents to
positions, in turns; medians are taken. openTSNE uses exact neighbours, which are its fastest here, and the faster of
Barnes-Hut and interpolation counts. All divergences are exact and against the same affinities. Test images are placed
on every map by fitmap.

The large map is 70,000 latents of the same images, shifted and mirrored. It is made and scored in a process of its own,
whose peak memory is quoted. `benchmarks.pipeline` times the compilation of the kernels.
"""

import re
import statistics
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks import parser, report
from stages.common.settings import load_params
from stages.scores.map_faithfulness import knn_accuracy, knn_recall, trustworthiness
from stages.tsne.affinities import joint_affinities
from stages.tsne.embedding import embed, place
from stages.tsne.forces import divergence

POINTS, LARGE = 6_000, 70_000
THREADS = 2
PARAMS = load_params("tsne").model_copy(update={"engine": "fitmap", "n_components": 2})


def fitmap(latents: np.ndarray, device: str = "cpu") -> np.ndarray:
    return embed(latents, PARAMS, device)[0]


def sklearn(latents: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    return TSNE(perplexity=PARAMS.perplexity, random_state=PARAMS.seed, n_jobs=THREADS).fit_transform(latents)


def opentsne(latents: np.ndarray, method: str = "bh") -> np.ndarray:
    from openTSNE import TSNE

    options = {"neighbors": "exact", "negative_gradient_method": method, "n_jobs": THREADS}
    return np.array(TSNE(perplexity=PARAMS.perplexity, random_state=PARAMS.seed, **options).fit(latents), np.float32)


def opentsne_fft(latents: np.ndarray) -> np.ndarray:
    return opentsne(latents, "fft")


def make_latents(large: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return latents and labels of the training (`x`, `y`) and test images (`new_x`, `new_y`), and `large` latents."""
    from stages.autoencoder.training import encode, train
    from stages.common.samples_table import is_train, labels_of
    from stages.images.source_drawn import drawn_images
    from stages.images.source_fashion_mnist import fashion_mnist_images

    params = load_params("images")
    real = Path(params.root, "FashionMNIST").is_dir()
    samples, arrays = fashion_mnist_images(params.root) if real else drawn_images(params)
    images, training, labels = arrays["images"], is_train(samples), labels_of(samples)
    print(f"training the autoencoder on {training.sum():,} {'real images' if real else 'drawn garments'}", flush=True)
    network, _ = train(images[training], load_params("autoencoder"), "cpu")
    latents = encode(network, images, "cpu")
    split = {"x": latents[training], "y": labels[training], "new_x": latents[~training], "new_y": labels[~training]}
    shifts = [(down, right) for down in (0, 1, -1, 2, -2) for right in (0, 1, -1, 2, -2)]
    copies = (
        encode(network, np.ascontiguousarray(np.roll(images[training], shift, axis=(1, 2))[:, :, ::mirror]), "cpu")
        for mirror in (1, -1)
        for shift in shifts[: 1 + large // (2 * training.sum())]
    )
    return split, np.concatenate(list(copies))[:large]


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compare_engines(rows: dict[str, np.ndarray], points: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return each engine's median seconds, KL divergence, recall and placed accuracy on the first `points` latents."""
    latents, labels = rows["x"][:points], rows["y"][:points]
    engines = {"fitmap": fitmap, "sklearn": sklearn, "opentsne": opentsne, "opentsne_fft": opentsne_fft}
    try:
        opentsne(latents[:200])
    except ImportError:
        print("openTSNE is left out: it is not installed (pip install '.[benchmarks]')")
        engines = {"fitmap": fitmap, "sklearn": sklearn}
    fitmap(latents[:500])  # kernels are compiled or read from the cache
    seconds, maps = {name: [] for name in engines}, {}
    for _ in range(rounds):
        for name, engine in engines.items():
            taken, maps[name] = timed(lambda engine=engine: engine(latents))
            seconds[name].append(taken)
            print(f"{name:12} {taken:7.1f} s", flush=True)
    affinities = joint_affinities(latents, PARAMS.perplexity)
    return {
        name: {
            "seconds": statistics.median(seconds[name]),
            "kl": divergence(np.ascontiguousarray(positions.T), affinities),
            "recall": float(knn_recall(latents, positions, 15).mean()),
            "placed": knn_accuracy(positions, labels, place(latents, positions, rows["new_x"]), rows["new_y"], 5),
        }
        for name, positions in maps.items()
    }


def map_large(latents: np.ndarray, device: str) -> dict[str, float]:
    """Map and score latents; return the figures, with the peak memory of this process (on Linux)."""
    fitmap(latents[:500], device)
    seconds, (positions, kl) = timed(lambda: embed(latents, PARAMS, device))
    score_seconds, _ = timed(lambda: trustworthiness(latents, positions, 12) + knn_recall(latents, positions, 15))
    figures = {"seconds": seconds, "kl": kl, "score_seconds": score_seconds}
    if (status := Path("/proc/self/status")).exists():  # `ru_maxrss` would count the parent process, too
        figures["peak_mb"] = int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1e3
    return figures


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=3, help="runs of each engine, in turns (3)")
    arguments.add_argument("--points", type=int, default=POINTS, help="latents for every engine (6000)")
    arguments.add_argument("--large", type=int, default=LARGE, help="latents of the large map, 0 for none (70000)")
    arguments.add_argument("--device", default="cpu", help="of the large map: cpu | cuda")
    options = arguments.parse_args()
    figures: dict[str, float] = {}
    rows, many = make_latents(options.large)
    results = compare_engines(rows, options.points, options.rounds)
    print(f"\n{'engine':12} {'seconds':>8} {'KL':>7} {'recall':>7} {'placed':>7}")
    for name, result in results.items():
        print("{:12} {seconds:8.2f} {kl:7.4f} {recall:7.4f} {placed:7.4f}".format(name, **result))
        figures |= {f"{key}_{name}_{options.points}": value for key, value in result.items()}
    ours = results["fitmap"]["seconds"]
    figures[f"sklearn_over_fitmap_{options.points}"] = results["sklearn"]["seconds"] / ours
    if "opentsne" in results:
        best = min(results[name]["seconds"] for name in ("opentsne", "opentsne_fft"))
        figures[f"opentsne_over_fitmap_{options.points}"] = best / ours
    if options.large:
        with get_context("spawn").Pool(1) as pool:
            large = pool.apply(map_large, (many, options.device))
            pool.close()
            pool.join()
        figures |= {f"{key}_{options.large}": value for key, value in large.items()}
    report("tsne", figures, options.json)


if __name__ == "__main__":
    main()
