"""Draw garments, or read Fashion-MNIST, a folder of images or shards of millions."""

from stages.common.artifacts import write_arrays
from stages.common.errors import run
from stages.common.samples import write_samples
from stages.common.settings import load_params
from stages.images.source_shards import shard_images
from stages.images.sources import drawn_images, fashion_mnist_images, folder_images


def main() -> None:
    params = load_params("images")
    if params.source == "drawn":
        samples, images = drawn_images(params)
    elif params.source == "fashion-mnist":
        samples, images = fashion_mnist_images(params.root)
    elif params.source.endswith(".json"):
        samples, images = shard_images(params)
    else:
        samples, images = folder_images(params)
    write_samples(samples)
    write_arrays("data/images.npz", images=images)


if __name__ == "__main__":
    run(main)
