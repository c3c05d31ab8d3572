"""Train the autoencoder on the training images, without their labels."""

from stages.cluster.connection import address
from stages.latents.training import arrays_of
from stages.pipeline.artifacts import read_arrays, write_csv, write_weights
from stages.pipeline.checkpoint import run_checkpoint
from stages.pipeline.params import load_params


def main() -> None:
    params = load_params("autoencoder")
    images = read_arrays("data/images.npz")["train_images"]
    if address():
        from stages.cluster.training import train_on_cluster as train
    else:
        from stages.latents.training import train
    network, history = train(images, params, run_checkpoint())
    write_weights("data/autoencoder.safetensors", network.architecture, arrays_of(network))
    write_csv("data/autoencoder_history.csv", history)
