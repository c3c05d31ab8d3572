"""Draw garments, or read Fashion-MNIST, a folder of images, shards of millions, or a table of vectors."""

import numpy as np

from stages.common.artifacts import write_arrays
from stages.common.errors import run
from stages.common.samples_table import is_train, write_samples
from stages.common.settings import load_params
from stages.images.merge_labels import NONE, merge_labels
from stages.images.source_drawn import drawn_images
from stages.images.source_fashion_mnist import fashion_mnist_images
from stages.images.source_folder import folder_images
from stages.images.source_shards import shard_images
from stages.images.source_vectors import vector_samples


def main() -> None:
    params, latents = load_params("images"), load_params("latents")
    if latents.is_file:
        if params.source != "drawn":
            print(f"images.source = {params.source} has no effect: latents.source is a table; set it to autoencoder")
        samples, arrays = vector_samples(latents, params)
    elif params.source == "drawn":
        samples, arrays = drawn_images(params)
    elif params.source == "fashion-mnist":
        samples, arrays = fashion_mnist_images(params.root)
    elif params.source.endswith(".json"):
        samples, arrays = shard_images(params)
    else:
        samples, arrays = folder_images(params)
    if params.labels != NONE:
        samples = merge_labels(samples, params.labels)
    write_samples(samples)
    training = np.array(is_train(samples).sum())  # kept here too, so that new labels need no new training
    write_arrays("data/images.npz", **arrays, training=training)


if __name__ == "__main__":
    run(main)
