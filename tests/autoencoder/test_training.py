import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from stages.autoencoder.augmented_views import random_views
from stages.autoencoder.training import (
    encode,
    loss,
    new_network,
    reconstruct,
    train,
    warmup_then_cosine,
    without_auto,
)
from stages.common.errors import InputError
from stages.common.pca import fit_pca, pca_mse
from stages.common.settings import load_params

PARAMS = load_params("autoencoder").model_copy(
    update={"hidden_layers": [64, 32], "channels": 8, "blocks": 1, "latent_dim": 4, "epochs": 12, "batch_size": 64}
)


def bars(n, seed):
    """Bright bars (n, 16, 12) uint8 of any place, width and angle: curved in pixel space, so PCA does badly."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :12]
    angle, place, width = generator.uniform([0, -3, 1], [np.pi, 3, 3], (n, 3)).T[:, :, None, None]
    distance = np.abs((x - 5.5) * np.cos(angle) + (y - 7.5) * np.sin(angle) - place)
    return (255 * np.clip(width - distance, 0, 1)).astype(np.uint8)


IMAGES, NEW_IMAGES = bars(1000, 0), bars(200, 1)
TINTS = np.random.default_rng(2).uniform(0.2, 1, (1200, 1, 1, 3))
COLOURED, NEW_COLOURED = ((images[..., None] * tints).astype(np.uint8) for images, tints in (
    (IMAGES, TINTS[:1000]), (NEW_IMAGES, TINTS[1000:])
))  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    return train(IMAGES, PARAMS, "cpu")


def test_new_images_are_rebuilt_better_than_by_as_many_principal_components(trained):
    *_, errors = reconstruct(trained[0], NEW_IMAGES, "cpu")
    assert errors.mean() < 0.9 * pca_mse(fit_pca(IMAGES, 4), NEW_IMAGES)


def test_colour_images_are_rebuilt_by_the_convolutional_network():
    network, _ = train(COLOURED, PARAMS.model_copy(update={"epochs": 8}), "cpu")
    assert network.architecture["name"] == "conv"
    _, rebuilt, errors = reconstruct(network, NEW_COLOURED, "cpu")
    assert (rebuilt.dtype, rebuilt.shape) == (np.uint8, NEW_COLOURED.shape)
    assert errors.mean() < 0.9 * pca_mse(fit_pca(COLOURED, 4), NEW_COLOURED)
    before, after = (images.mean(axis=(1, 2)) for images in (NEW_COLOURED, rebuilt))
    assert all(np.corrcoef(before[:, colour], after[:, colour])[0, 1] > 0.7 for colour in range(3))


@pytest.mark.parametrize(
    ("shape", "name"), [((28, 28), "dense"), ((28, 28, 3), "conv"), ((64, 64), "conv"), ((32, 32), "dense")]
)
def test_auto_takes_the_dense_network_for_small_grey_images(shape, name):
    assert without_auto(PARAMS, shape).architecture == name
    assert new_network(shape, PARAMS.model_copy(update={"architecture": "auto"})).architecture["name"] == name


def test_the_history_holds_every_epoch_and_falls(trained):
    _, history = trained
    assert list(history.columns) == ["epoch", "train_loss", "validation_loss", "learning_rate"]
    assert list(history["epoch"]) == list(range(1, 13))
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
    _, rebuilt, errors = reconstruct(trained[0], NEW_IMAGES, "cpu")
    assert (rebuilt.dtype, rebuilt.shape) == (np.uint8, NEW_IMAGES.shape)
    assert (errors.dtype, errors.shape) == (np.float32, (200,))
    seen = ((rebuilt.astype(float) - NEW_IMAGES) ** 2).mean(axis=(1, 2)) / 255**2
    assert (seen <= errors + 1e-3).all()  # clipping to 0..255 only comes nearer
    assert np.corrcoef(seen, errors)[0, 1] > 0.95


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"architecture": "conv"},
        {"hidden_layers": [32]},
        {"kl_weight": 0},
        {"view_strength": 0},
        {"view_consistency": 0},
        {"architecture": "conv", "view_consistency": 0.1},
        {"learning_rate": 0.001},
        {"batch_size": 32},
    ],
    ids=str,
)
def test_every_setting_has_an_effect_and_the_same_ones_give_the_same_bytes(change):
    def latents(params):
        network, history = train(IMAGES[:200], params, "cpu")
        assert np.isfinite(history.to_numpy()).all()
        return encode(network, IMAGES, "cpu")

    quick = PARAMS.model_copy(update={"epochs": 2})
    plain, changed = latents(quick), latents(quick.model_copy(update=change))
    assert np.isfinite(changed).all()
    assert np.array_equal(plain, latents(quick))
    assert not np.array_equal(plain, changed)


@pytest.mark.parametrize("architecture", ["dense", pytest.param("conv", marks=pytest.mark.full)])
def test_the_weights_do_not_depend_on_the_machines_number_of_threads(tmp_path, architecture):
    np.save(tmp_path / "images.npy", IMAGES[:100])
    code = (
        "import sys, numpy as np\n"
        "from stages.autoencoder.training import arrays_of, train\n"
        "from stages.common.settings import load_params\n"
        f"params = load_params('autoencoder').model_copy(update={{'epochs': 1, 'architecture': '{architecture}'}})\n"
        "network, history = train(np.load(sys.argv[1]), params, 'cpu')\n"
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
    train(IMAGES[:100], PARAMS.model_copy(update={"epochs": 1}), "cpu")
    assert torch.equal(torch.rand(3), expected)


def test_the_loss_is_that_of_its_equation():
    generator = torch.Generator().manual_seed(0)
    targets, reconstructions = torch.rand(2, 6, 1, 4, 4, generator=generator)
    latents, views = torch.randn(2, 6, 3, generator=generator)
    log_variance, scales = torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([2.0, 1.0, 0.5])
    params = PARAMS.model_copy(update={"kl_weight": 0.5, "view_consistency": 2.0})
    error, penalty = loss(reconstructions, targets, latents, views, log_variance, scales, params)
    torch.testing.assert_close(error, (targets - reconstructions).square().mean())
    deviations = (log_variance / 2).exp().expand(6, 3)
    normals = torch.distributions.Normal(latents / scales, deviations), torch.distributions.Normal(0.0, 1.0)
    divergence = torch.distributions.kl_divergence(*normals).sum(dim=1).mean()
    cosines = (latents * views).sum(dim=1) / latents.norm(dim=1) / views.norm(dim=1)
    torch.testing.assert_close(penalty, 0.5 / 16 * divergence + 2 * (1 - cosines).mean())


def test_view_consistency_turns_the_latents_of_an_image_and_its_view_in_one_direction():
    pixels = torch.from_numpy(NEW_IMAGES)[:, None] / 255
    moved = random_views(pixels, 1, torch.Generator().manual_seed(9))
    moved = (moved * 255).round().to(torch.uint8)[:, 0].numpy()

    def difference(weight):
        network, _ = train(IMAGES, PARAMS.model_copy(update={"view_consistency": weight}), "cpu")
        latents, others = (torch.from_numpy(encode(network, some, "cpu")) for some in (NEW_IMAGES, moved))
        return (1 - torch.cosine_similarity(latents, others)).mean()

    assert difference(10) < 0.6 * difference(0.01)


def test_the_learning_rate_rises_then_falls_to_zero():
    factors = [warmup_then_cosine(done) for done in np.linspace(0, 1, 101)]
    assert 0 < factors[0] < 0.1
    assert max(factors) == factors[5] == pytest.approx(1)
    assert factors[-1] == pytest.approx(0)
    assert sorted(factors[5:], reverse=True) == factors[5:]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without an NVIDIA GPU")
def test_a_missing_device_is_named():
    with pytest.raises(InputError, match=r"device = 'cuda' is not available"):
        train(IMAGES, PARAMS, "cuda")


def test_a_loss_that_is_no_longer_finite_is_a_one_line_error():
    with pytest.raises(InputError, match=r"autoencoder\.learning_rate = 10 is too large"):
        train(IMAGES[:200], PARAMS.model_copy(update={"learning_rate": 10.0, "hidden_layers": [32] * 8}), "cpu")


def test_too_many_weights_are_refused():
    with pytest.raises(InputError, match=r"hidden_layers and latent_dim ask for [\d,]+ weights"):
        train(IMAGES, PARAMS.model_copy(update={"hidden_layers": [100_000, 100_000]}), "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_learns_what_a_cpu_learns():
    errors = [reconstruct(train(IMAGES, PARAMS, device)[0], NEW_IMAGES, device)[2].mean() for device in ("cpu", "cuda")]
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
