import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from stages.autoencoder import training
from stages.autoencoder.training import altered, disagreement, encode, reconstruct, train, warmup_then_cosine
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.scores.map import fit_pca, pca_mse

PARAMS = load_params("autoencoder").model_copy(
    update={"hidden_layers": [64, 32], "channels": [8, 8], "latent_dim": 4, "epochs": 15, "batch_size": 64}
)


def bars(n, seed):
    """Bright bars (n, 16, 12) uint8 of any place, width and angle: curved in pixel space, so PCA does badly."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :12]
    angle, place, width = generator.uniform([0, -3, 1], [np.pi, 3, 3], (n, 3)).T[:, :, None, None]
    distance = np.abs((x - 5.5) * np.cos(angle) + (y - 7.5) * np.sin(angle) - place)
    return (255 * np.clip(width - distance, 0, 1)).astype(np.uint8)


IMAGES, NEW_IMAGES = bars(1000, 0), bars(200, 1)


@pytest.fixture(scope="module")
def trained():
    return train(IMAGES, PARAMS)


@pytest.mark.parametrize("architecture", ["dense", "conv"])
def test_new_images_are_rebuilt_better_than_by_as_many_principal_components(architecture):
    network, _ = train(IMAGES, PARAMS.model_copy(update={"architecture": architecture}))
    *_, errors = reconstruct(network, NEW_IMAGES, "cpu")
    assert errors.mean() < 0.9 * pca_mse(fit_pca(IMAGES, 4), NEW_IMAGES)


def test_the_history_holds_every_epoch_and_falls(trained):
    _, history = trained
    assert list(history.columns) == ["epoch", "train_loss", "validation_loss", "learning_rate"]
    assert list(history["epoch"]) == list(range(1, 16))
    assert history["validation_loss"].iloc[-1] < 0.9 * history["validation_loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < history["learning_rate"].max()


def test_latents_do_not_depend_on_what_else_is_encoded(trained):
    network, _ = trained
    latents = encode(network, IMAGES, "cpu")
    assert latents.dtype == np.float32
    assert latents.shape == (1000, 4)
    np.testing.assert_array_equal(latents, encode(network, IMAGES, "cpu"))
    np.testing.assert_allclose(latents[7:8], encode(network, IMAGES[7:8], "cpu"), rtol=0, atol=1e-5)
    assert encode(network, IMAGES[:0], "cpu").shape == (0, 4)


def test_reconstructions_come_with_their_errors(trained):
    network, _ = trained
    _, pictures, errors = reconstruct(network, NEW_IMAGES, "cpu")
    assert (pictures.dtype, pictures.shape) == (np.uint8, NEW_IMAGES.shape)
    assert (errors.dtype, errors.shape) == (np.float32, (200,))
    seen = ((pictures.astype(float) - NEW_IMAGES) ** 2).mean(axis=(1, 2)) / 255**2
    assert (seen <= errors + 1e-3).all()  # what is cut to 0..255 can only come nearer
    assert np.corrcoef(seen, errors)[0, 1] > 0.95


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"loss": "l1"},
        {"hidden_layers": [32]},
        {"linear_path": False},
        {"length_compression": 0},
        {"whitening": 1},
        {"beta": 0},
        {"beta": 1},
        {"noise": 0.3},
        {"shift": 0},
        {"rotation": 0},
        {"stretching": 0},
        {"flip": True},
        {"consistency": 0},
        {"learning_rate": 0.005},
        {"weight_decay": 1},
        {"batch_size": 32},
        {"validation_fraction": 0.2},
    ],
    ids=str,
)
def test_every_setting_has_an_effect_and_the_same_ones_give_the_same_bytes(change):
    def latents(params):
        network, history = train(IMAGES[:200], params)
        assert np.isfinite(history.to_numpy()).all()
        return encode(network, IMAGES, "cpu")

    quick = PARAMS.model_copy(update={"epochs": 2})
    plain, changed = latents(quick), latents(quick.model_copy(update=change))
    assert np.isfinite(changed).all()
    assert np.array_equal(plain, latents(quick))
    assert not np.array_equal(plain, changed)


def test_the_weights_do_not_depend_on_the_number_of_threads(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES[:300])
    code = (
        "import sys, numpy as np\n"
        "from stages.autoencoder.training import arrays_of, train\n"
        "from stages.common.settings import load_params\n"
        "params = load_params('autoencoder').model_copy(update={'epochs': 1})\n"
        "network, history = train(np.load(sys.argv[1]), params)\n"
        "sys.stdout.buffer.write(b''.join(a.tobytes() for a in arrays_of(network).values()))\n"
    )
    digests = set()
    for threads in ("1", "3"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "images.npy")],
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        )
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(IMAGES[:100], PARAMS.model_copy(update={"epochs": 1}))
    assert torch.equal(torch.rand(3), expected)


def views(images, **changes):
    still = {"shift": 0, "rotation": 0, "stretching": 0, "flip": False}
    uniform = torch.rand(6, len(images), generator=torch.Generator().manual_seed(0))
    return altered(images, PARAMS.model_copy(update={**still, **changes}), uniform)


def centre_of_mass(images):
    """Row and column (n, 2) in pixels from the middle of images (n, 1, h, w)."""
    height, width = images.shape[2:]
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    weights = images / images.sum(dim=(1, 2, 3), keepdim=True)
    return torch.stack([(weights.sum(3) * rows).sum((1, 2)), (weights.sum(2) * columns).sum((1, 2))], dim=1)


@pytest.mark.parametrize("size", [(20, 20), (31, 18)])
def test_a_view_is_the_image_a_little_moved_turned_and_stretched(size):
    height, width = size
    image = torch.zeros(1, 1, height, width)
    image[:, :, height // 2 - 4 : height // 2 + 4, width // 2 + 2 : width // 2 + 4] = 1
    images = image.expand(300, 1, height, width)
    start = centre_of_mass(image)
    torch.testing.assert_close(views(images), images, atol=1e-5, rtol=0)

    moves = centre_of_mass(views(images, shift=2)) - start
    assert moves.abs().max() <= 2.01
    assert (moves.amax(0) > 1.8).all()
    assert (moves.amin(0) < -1.8).all()

    turned = centre_of_mass(views(images, rotation=20))
    torch.testing.assert_close(turned.norm(dim=1), start.norm().expand(300), atol=0.15, rtol=0)
    angles = torch.rad2deg(torch.atan2(turned[:, 0], turned[:, 1]) - torch.atan2(start[:, 0], start[:, 1]))
    assert 18 < angles.max() < 21
    assert -21 < angles.min() < -18

    areas = views(images, stretching=0.2).sum(dim=(1, 2, 3)) / image.sum()
    assert 0.65 < areas.min() < 0.85
    assert 1.2 < areas.max() < 1.6

    mirrored = views(images, flip=True)
    kept = (mirrored - images).abs().amax(dim=(1, 2, 3)) < 1e-4
    torch.testing.assert_close(mirrored[~kept], images.flip(3)[~kept], atol=1e-4, rtol=0)
    assert 0.4 < kept.float().mean() < 0.6


def test_views_repeat_the_border():
    white = torch.ones(20, 1, 12, 15)
    torch.testing.assert_close(views(white, shift=3, rotation=30, stretching=0.3, flip=True), white)


def test_consistency_draws_an_images_latents_and_its_views_together():
    pixels = torch.from_numpy(NEW_IMAGES)[:, None] / 255
    uniform = torch.rand(6, len(pixels), generator=torch.Generator().manual_seed(9))
    moved = (altered(pixels, PARAMS, uniform) * 255).round().to(torch.uint8)[:, 0].numpy()

    def difference(consistency):
        network, _ = train(IMAGES, PARAMS.model_copy(update={"consistency": consistency}))
        return disagreement(*(torch.from_numpy(encode(network, some, "cpu")) for some in (NEW_IMAGES, moved)))

    assert difference(1.0) < 0.8 * difference(0.01)


def test_disagreement_is_measured_in_units_of_the_latents_spread():
    latents = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0))
    others = torch.randn(5000, 3, generator=torch.Generator().manual_seed(1))
    assert disagreement(latents, latents) == 0
    assert disagreement(latents, others).item() == pytest.approx(1, abs=0.05)
    assert disagreement(7 * latents, 7 * others).item() == pytest.approx(disagreement(latents, others).item())
    assert disagreement(latents[:1], latents[:1]) == 0


def test_the_learning_rate_rises_then_falls_to_zero():
    factors = [warmup_then_cosine(done) for done in np.linspace(0, 1, 101)]
    assert 0 < factors[0] < 0.1
    assert max(factors) == factors[5] == pytest.approx(1)
    assert factors[-1] == pytest.approx(0)
    assert sorted(factors[5:], reverse=True) == factors[5:]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without an NVIDIA GPU")
def test_a_device_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"autoencoder\.device = 'cuda' is not available"):
        train(IMAGES, PARAMS.model_copy(update={"device": "cuda"}))


def test_a_loss_that_is_no_longer_finite_is_a_one_line_error():
    with pytest.raises(InputError, match=r"autoencoder\.learning_rate = 10 is too large"):
        train(IMAGES[:200], PARAMS.model_copy(update={"learning_rate": 10.0, "epochs": 20, "hidden_layers": [32] * 8}))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("changes", [{}, {"noise": 0.1, "consistency": 0.0, "architecture": "conv"}])
def test_a_step_recorded_on_a_gpu_is_the_step(changes, monkeypatch):
    params = PARAMS.model_copy(update={"device": "cuda", "epochs": 3, **changes})
    recorded, history = train(IMAGES, params)
    monkeypatch.setattr(training, "Recorded", lambda step: step)
    network, expected = train(IMAGES, params)
    pd.testing.assert_frame_equal(history, expected)
    for name, weights in network.state_dict().items():
        assert torch.equal(weights, recorded.state_dict()[name]), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_learns_what_a_cpu_learns():
    errors = [
        reconstruct(train(IMAGES, PARAMS.model_copy(update={"device": device}))[0], NEW_IMAGES, device)[2].mean()
        for device in ("cpu", "cuda")
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.03)
