"""Training the autoencoder beside the loop that torch's tutorials teach: images a second, and what is learnt.

The usual loop: torchvision's FashionMNIST with ToTensor, a shuffling DataLoader with two workers, and for each batch
forward, backward, step. Ours: `stages.autoencoder.training.train`, its validation and its start included. Both have the
same network, started alike, the same batch size, epochs, loss and optimiser with params.yaml's values; what only ours
has (views, beta, noise) is off. On a CPU ours runs on one thread, as always, the usual loop on as many as torch takes;
with `--device cuda` both train on the GPU.

The images are drawn garments, written as Fashion-MNIST's own files. Both sides alternate; medians of three runs.
`throughput_ratio` is ours over the usual one's, `mse_ratio` our error on new images over that of the usual loop.
"""

import argparse
import json
import os
import platform
import statistics
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from stages.autoencoder.network import Autoencoder
from stages.autoencoder.training import new_network, reconstruct, train
from stages.common.settings import AutoencoderParams, load_params
from stages.common.torchvision_import import torchvision
from stages.images.garments.garments import draw_garments

IMAGES, NEW_IMAGES, EPOCHS, REPEATS, WORKERS = 10_000, 2000, 5, 3, 2
PLAIN = {"consistency": 0.0, "shift": 0.0, "rotation": 0.0, "stretching": 0.0, "flip": False, "beta": 0.0, "noise": 0.0}
THREADS = torch.get_num_threads()


def write_fashion_mnist(root: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """The images (n, 28, 28) and labels (n,) as the four files that torchvision looks for below `root`."""
    folder = root / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        head = struct.pack(">IIII", 0x803, *images.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = struct.pack(">II", 0x801, len(labels))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.astype(np.uint8).tobytes())


def usual_loop(dataset: Dataset, images: np.ndarray, params: AutoencoderParams) -> Autoencoder:
    """The network after the usual loop over `dataset`; `images` are the same ones, for the start."""
    torch.set_num_threads(THREADS)
    network = new_network(images.shape[1:], params)
    network.start_as_pca(torch.from_numpy(images)[:, None] / 255, torch.Generator().manual_seed(params.seed))
    network.to(params.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    loader = DataLoader(dataset, params.batch_size, shuffle=True, num_workers=WORKERS)
    for _ in range(params.epochs):
        for batch, _label in loader:
            batch = batch.to(params.device)
            optimizer.zero_grad()
            loss = functional.mse_loss(network.render(network.project(batch)), batch)
            loss.backward()
            optimizer.step()
    return network.cpu()


def measure(params: AutoencoderParams) -> dict[str, float]:
    """The flat figures of the JSON line."""
    (images, labels, _), (new_images, _, _) = draw_garments(IMAGES, seed=0), draw_garments(NEW_IMAGES, seed=1)
    throughputs, errors = {"fitmap": [], "usual": []}, {}
    with tempfile.TemporaryDirectory() as root:
        write_fashion_mnist(Path(root), images, labels)
        dataset = torchvision.datasets.FashionMNIST(root, transform=torchvision.transforms.ToTensor())
        sides = {"fitmap": lambda: train(images, params)[0], "usual": lambda: usual_loop(dataset, images, params)}
        train(images[:1000], params)  # libraries loaded, and on a GPU its kernels too
        for repeat in range(REPEATS):
            for name, side in sides.items():
                start = time.perf_counter()
                network = side()
                seconds = time.perf_counter() - start
                learnt = IMAGES * (1 - params.validation_fraction if name == "fitmap" else 1)
                throughputs[name].append(learnt * params.epochs / seconds)
                errors[name] = float(reconstruct(network, new_images, "cpu")[2].mean())
                print(f"run {repeat + 1} {name:8s} {throughputs[name][-1]:9,.0f} images/s  mse {errors[name]:.5f}")
    medians = {name: statistics.median(values) for name, values in throughputs.items()}
    return {
        "fitmap_images_per_second": round(medians["fitmap"]),
        "usual_images_per_second": round(medians["usual"]),
        "throughput_ratio": round(medians["fitmap"] / medians["usual"], 2),
        "fitmap_mse": round(errors["fitmap"], 6),
        "usual_mse": round(errors["usual"], 6),
        "mse_ratio": round(errors["fitmap"] / errors["usual"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where both train (cpu)")
    arguments = parser.parse_args()
    changes = {**PLAIN, "epochs": EPOCHS, "device": arguments.device}
    figures = measure(load_params("autoencoder").model_copy(update=changes))
    if arguments.json:
        machine = {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "autoencoder", "machine": machine, "figures": figures}))
    else:
        print("\n".join(f"{name:28s} {value:12,}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
