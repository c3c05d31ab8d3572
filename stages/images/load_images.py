"""Draw garments, or read Fashion-MNIST, a folder of images or shards of millions."""

from dataclasses import asdict

from stages.common.artifacts import write_arrays
from stages.common.errors import run
from stages.common.settings import load_params
from stages.images.source_shards import shard_images
from stages.images.sources import drawn_images, fashion_mnist_images, folder_images


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


if __name__ == "__main__":
    run(main)
