import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from stages.latents.garments import draw_garments
from stages.latents.scores import fit_pca, pca_mse
from stages.latents.training import (
    arrays_of, choose_device, encode, network_from, reconstruct, shifted, train, warmup_then_cosine,
)  # fmt: skip
from stages.pipeline.errors import InputError
from stages.pipeline.params import load_params

PARAMS = load_params("autoencoder").model_copy(
    update={"latent_dim": 8, "epochs": 6, "hidden_layers": [64], "channels": [8, 8], "device": "cpu"}
)
LONGER = {"epochs": 12, "shift": 0, "batch_size": 32}  # as much as so few images need
IMAGES = draw_garments(900, seed=0)[0]
NEW_IMAGES = draw_garments(200, seed=1)[0]


def digest(network):
    return b"".join(array.tobytes() for array in arrays_of(network).values())


@pytest.mark.parametrize("architecture", ["dense", "conv"])
def test_it_learns_more_than_pca(architecture):
    network, history = train(IMAGES, PARAMS.model_copy(update={"architecture": architecture, **LONGER}))
    reconstructions, errors = reconstruct(network, NEW_IMAGES, "cpu")
    assert errors.mean() < 0.97 * pca_mse(fit_pca(IMAGES, 8), NEW_IMAGES)
    assert reconstructions.dtype == np.uint8
    assert reconstructions.shape == NEW_IMAGES.shape
    rounded = np.mean((reconstructions / 255.0 - NEW_IMAGES / 255.0) ** 2)
    assert rounded == pytest.approx(errors.mean(), rel=0.1)
    assert list(history.columns) == ["epoch", "train_loss", "validation_loss", "learning_rate"]
    assert history["epoch"].tolist() == list(range(1, 13))
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]


def test_what_was_kept_gives_the_same_network_again():
    network, _ = train(IMAGES[:200], PARAMS.model_copy(update={"epochs": 1}))
    again = network_from(network.architecture, arrays_of(network))
    np.testing.assert_array_equal(encode(network, NEW_IMAGES, "cpu"), encode(again, NEW_IMAGES, "cpu"))
    arrays = arrays_of(network)
    arrays["mean"] = arrays["mean"][:, :, :9]
    with pytest.raises(InputError, match="do not fit its architecture"):
        network_from(network.architecture, arrays)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1}, {"loss": "l1"}, {"noise": 0.2}, {"shift": 0}, {"learning_rate": 0.003}, {"weight_decay": 0.5},
        {"batch_size": 64}, {"validation_fraction": 0.2}, {"linear_path": False}, {"hidden_layers": [32]},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_has_an_effect_and_the_same_ones_give_the_same_bytes(change):
    short = PARAMS.model_copy(update={"epochs": 1})
    first = digest(train(IMAGES[:300], short)[0])
    assert first == digest(train(IMAGES[:300], short)[0])
    assert first != digest(train(IMAGES[:300], short.model_copy(update=change))[0])


def test_the_weights_do_not_depend_on_the_number_of_threads():
    program = (
        "import hashlib; from tests.latents.test_training import *;"
        "print(hashlib.sha256(digest(train(IMAGES[:300], PARAMS.model_copy(update={'epochs': 2}))[0])).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for threads in ("1", "3")
    }
    assert len(digests) == 1


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    train(IMAGES[:100], PARAMS.model_copy(update={"epochs": 1}))
    assert torch.equal(before, torch.random.get_rng_state())


def test_shifts_move_whole_images_and_bring_in_black():
    images = torch.rand(50, 1, 6, 7)
    moved = shifted(images, 2, torch.Generator().manual_seed(0))
    offsets = set()
    for image, result in zip(images[:, 0], moved[:, 0], strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        found = [(r, c) for r in range(5) for c in range(5) if torch.equal(padded[r : r + 6, c : c + 7], result)]
        assert len(found) == 1
        offsets.add(found[0])
    assert len(offsets) > 10
    assert shifted(images, 0, torch.Generator()) is images


def test_the_learning_rate_rises_then_falls_to_zero():
    rates = [warmup_then_cosine(done / 1000) for done in range(1001)]
    assert 0 < rates[0] < 0.05
    assert max(rates) == pytest.approx(1, abs=1e-3)
    assert np.argmax(rates) == 50
    assert rates[-1] == pytest.approx(0)


def test_a_device_that_is_not_there_is_named():
    assert choose_device("cpu", "autoencoder.device").type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"autoencoder\.device = 'cuda' is not available"):
            choose_device("cuda", "autoencoder.device")
