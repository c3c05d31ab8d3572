"""Train the autoencoder on the training images, without their labels."""

from stages.autoencoder.training import arrays_of
from stages.cluster.connection import address, on_cluster
from stages.common.artifacts import read_arrays, write_csv, write_weights
from stages.common.checkpoint import run_checkpoint
from stages.common.errors import run
from stages.common.settings import load_params


def main() -> None:
    params = load_params("autoencoder")
    images = read_arrays("data/images.npz")["train_images"]
    if address():
        from stages.autoencoder.train_on_ray import train_on_cluster as train
    else:
        from stages.autoencoder.training import train
    network, history = train(images, params, run_checkpoint())
    write_weights("data/autoencoder.safetensors", network.architecture, arrays_of(network))
    write_csv("data/autoencoder_history.csv", history)


if __name__ == "__main__":
    run(on_cluster(main))
