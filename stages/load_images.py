"""Draw garments, or read Fashion-MNIST, a folder of images or shards of millions."""

from dataclasses import asdict

from stages.latents.images import drawn_images, fashion_mnist_images, folder_images
from stages.latents.shards import shard_images
from stages.pipeline.artifacts import write_arrays
from stages.pipeline.params import load_params


def main() -> None:
    params = load_params("images")
    if params.source == "drawn":
        images = drawn_images(params)
    elif params.source == "fashion-mnist":
        images = fashion_mnist_images(params.root)
    elif params.source.endswith(".json"):
        images = shard_images(params)
    else:
        images = folder_images(params)
    write_arrays("data/images.npz", **asdict(images))
