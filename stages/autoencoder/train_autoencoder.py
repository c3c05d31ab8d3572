"""Train the autoencoder on the training images, without their labels."""

from stages.autoencoder.checkpoint import PATH, Checkpoint, key_of
from stages.autoencoder.training import HISTORY, arrays_of, train
from stages.cluster.connection import address, on_cluster
from stages.common.artifacts import read_arrays, write_weights
from stages.common.errors import run
from stages.common.loss_table import LossTable
from stages.common.settings import load_params


def main() -> None:
    params, device = load_params("autoencoder"), load_params("device")
    losses = LossTable("plots/autoencoder_loss.csv", HISTORY)
    if load_params("latents.source") != "autoencoder":  # the latents come from elsewhere: nothing to train
        write_weights("data/autoencoder.safetensors", {}, {})
        losses([])
        return
    pictures = read_arrays("data/images.npz")
    images = pictures["images"][: pictures["training"]]
    if address():
        from stages.autoencoder.train_on_ray import train_on_cluster

        network, history = train_on_cluster(images, params, device)
        losses(list(history.itertuples(index=False, name=None)))
    else:
        checkpoint = Checkpoint(key_of(images, params, device))
        network, _ = train(images, params, device, checkpoint, losses)
    write_weights("data/autoencoder.safetensors", network.architecture, arrays_of(network))
    PATH.unlink(missing_ok=True)


if __name__ == "__main__":
    run(on_cluster(main))
