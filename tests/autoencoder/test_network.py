import json

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from stages.autoencoder import network as module
from stages.autoencoder.network import Autoencoder, principal_components
from stages.autoencoder.training import arrays_of, network_from
from stages.common.errors import InputError


def architecture(**changes):
    return {
        "name": "dense",
        "image_shape": [12, 10],
        "latent_dim": 5,
        "layers": [8, 8],
        "length_power": 0.25,
        **changes,
    }


def blobs(n, height, width):
    """Blobs at random places (n, 1, h, w) uint8."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.arange(height)[:, None], torch.arange(width)[None, :]
    centres = torch.rand(2, n, 1, 1, generator=generator)
    distance = (y - centres[0] * height).square() + (x - centres[1] * width).square()
    return (255 * torch.exp(-distance / 20)).to(torch.uint8)[:, None]


@pytest.mark.parametrize("name", ["dense", "conv"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("shape", [(8, 8), (9, 17), (28, 28, 3), (31, 20, 3)])
def test_images_of_any_size_and_colour_go_to_latents_and_back(name, layers, shape):
    network = Autoencoder(architecture(name=name, image_shape=list(shape), layers=[8] * layers))
    images = torch.rand(3, *(shape[2:] or (1,)), *shape[:2], generator=torch.Generator().manual_seed(0))
    latents = network.encode(images)
    assert latents.shape == (3, 5)
    assert network.decode(latents).shape == images.shape


@pytest.mark.parametrize("name", ["dense", "conv"])
def test_training_starts_from_principal_components(name):
    network = Autoencoder(architecture(name=name))
    images = blobs(200, 12, 10)
    network.start_as_pca(images, torch.Generator().manual_seed(0))
    pixels = images / 255
    rows = pixels.flatten(1).double() - pixels.flatten(1).double().mean(dim=0)
    left = torch.linalg.svdvals(rows)[5:].square().sum()
    error = (network.decode(network.encode(pixels)) - pixels).square().sum()
    assert error.item() == pytest.approx(left.item(), rel=1e-3)


def test_refined_latents_rebuild_no_image_worse():
    torch.manual_seed(0)  # weights at random: far from what an encoder learns
    network = Autoencoder(architecture(name="conv"))
    images = blobs(50, 12, 10) / 255
    vectors = network.project(images)
    refined = network.refine(vectors, images)
    before, after = ((network.render(p) - images).square().sum(dim=(1, 2, 3)) for p in (vectors, refined))
    assert (after <= before).all()
    assert after.sum() < 0.97 * before.sum()
    latents = network.encode(images)
    torch.testing.assert_close(network.decode(latents), network.render(refined))


def test_principal_components_are_scikit_learns_but_for_their_sign(monkeypatch):
    scales = torch.linspace(60, 1, 30)
    rows = 128 + torch.randn(200, 30, generator=torch.Generator().manual_seed(0)) * scales
    rows = rows.clamp(0, 255).to(torch.uint8)
    mean, components = principal_components(rows, 4, torch.Generator().manual_seed(1))
    expected = PCA(4).fit(rows.numpy() / 255)
    np.testing.assert_allclose(mean, expected.mean_, atol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(components.numpy() * expected.components_, axis=1)), 1, atol=1e-3)
    monkeypatch.setattr(module, "PCA_VALUES", 30 * 64)  # four chunks
    _, in_chunks = principal_components(rows, 4, torch.Generator().manual_seed(1))
    torch.testing.assert_close(in_chunks, components, atol=1e-4, rtol=0)


def test_directions_the_data_do_not_have_are_zero():
    rows = torch.randint(0, 256, (6, 20), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    mean, components = principal_components(rows, 9, torch.Generator().manual_seed(1))
    centred = rows / 255 - mean
    assert components.shape == (9, 20)
    assert not components[6:].any()
    torch.testing.assert_close(centred @ components.T @ components, centred, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["dense", "conv"])
def test_a_saved_network_is_rebuilt_from_its_metadata(name):
    network = Autoencoder(architecture(name=name))
    again = network_from(json.loads(json.dumps(network.architecture)), arrays_of(network)).to("cpu")
    images = blobs(4, 12, 10) / 255
    assert torch.equal(network.encode(images), again.to("cpu").encode(images))


def test_weights_of_another_architecture_are_refused():
    arrays = arrays_of(Autoencoder(architecture()))
    with pytest.raises(InputError, match="weights do not fit its architecture"):
        network_from(architecture(latent_dim=6), arrays)
    with pytest.raises(InputError, match="weights do not fit its architecture"):
        network_from({}, {"mean": np.zeros(1, np.float32)})
