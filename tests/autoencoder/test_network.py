import json

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from stages.autoencoder.network import Autoencoder, principal_components, scale_lengths
from stages.autoencoder.training import arrays_of, network_from
from stages.common.errors import InputError


def architecture(**changes):
    return {
        "kind": "dense",
        "image_shape": [12, 10],
        "latent_dim": 5,
        "hidden": [16, 8],
        "linear_path": True,
        "length_compression": 0.5,
        **changes,
    }


def pictures(n, height, width):
    """Blobs at random places (n, 1, h, w), intensities 0 to 1."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.arange(height)[:, None], torch.arange(width)[None, :]
    centres = torch.rand(2, n, 1, 1, generator=generator)
    distance = (y - centres[0] * height).square() + (x - centres[1] * width).square()
    return torch.exp(-distance / 20)[:, None]


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("shape", [(8, 8), (9, 17), (28, 28), (31, 20)])
def test_images_of_any_size_go_to_latents_and_back(kind, layers, shape):
    network = Autoencoder(architecture(kind=kind, image_shape=list(shape), hidden=[8] * layers))
    images = pictures(3, *shape)
    latents = network.encode(images)
    assert latents.shape == (3, 5)
    assert network.decode(latents).shape == images.shape


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_training_starts_from_principal_components(kind):
    network = Autoencoder(architecture(kind=kind))
    images = pictures(200, 12, 10)
    network.start_as_pca(images, torch.Generator().manual_seed(0))
    rows = images.flatten(1).double() - images.flatten(1).double().mean(dim=0)
    left = torch.linalg.svdvals(rows)[5:].square().sum()
    error = (network.decode(network.encode(images)) - images).square().sum()
    assert error.item() == pytest.approx(left.item(), rel=1e-3)


def test_principal_components_are_scikit_learns_but_for_their_sign():
    rows = torch.randn(200, 30, generator=torch.Generator().manual_seed(0)) * torch.linspace(3, 0.1, 30)
    rows = rows - rows.mean(dim=0)
    components = principal_components(rows, 4, torch.Generator().manual_seed(1)).numpy()
    expected = PCA(4).fit(rows.numpy()).components_
    np.testing.assert_allclose(np.abs(np.sum(components * expected, axis=1)), 1, atol=1e-3)


def test_directions_the_data_do_not_have_are_zero():
    rows = torch.randn(6, 20, generator=torch.Generator().manual_seed(0))
    rows = rows - rows.mean(dim=0)
    components = principal_components(rows, 9, torch.Generator().manual_seed(1))
    assert components.shape == (9, 20)
    assert not components[6:].any()
    torch.testing.assert_close(rows @ components.T @ components, rows, atol=1e-4, rtol=0)


def test_without_a_linear_path_it_is_the_network_alone():
    network = Autoencoder(architecture(linear_path=False))
    assert not any(name.startswith("linear") for name in network.state_dict())


def test_lengths_are_compressed_and_directions_kept():
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.01], [0.0, 0.0]])
    halved = scale_lengths(vectors, 0.5)
    torch.testing.assert_close(halved.norm(dim=1), torch.tensor([5.0, 0.01, 0.0]).sqrt())
    torch.testing.assert_close(scale_lengths(halved, 2), vectors)


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("linear_path", [True, False])
def test_whitening_turns_the_latents_and_leaves_the_images(kind, linear_path):
    torch.manual_seed(0)
    network = Autoencoder(architecture(kind=kind, linear_path=linear_path, length_compression=0))
    images = pictures(300, 12, 10)
    with torch.no_grad():
        before = network.decode(network.encode(images))
        network.whiten(network.project(images), 1)
        latents = network.encode(images)
        torch.testing.assert_close(latents.T.cov(correction=0), torch.eye(5), atol=0.02, rtol=0)
        torch.testing.assert_close(network.decode(latents), before, atol=1e-4, rtol=0)


def test_a_kept_network_is_built_again_from_its_metadata():
    network = Autoencoder(architecture())
    again = network_from(json.loads(json.dumps(network.architecture)), arrays_of(network))
    images = pictures(4, 12, 10)
    assert torch.equal(network.encode(images), again.encode(images))


def test_weights_of_another_architecture_are_refused():
    arrays = arrays_of(Autoencoder(architecture()))
    with pytest.raises(InputError, match="weights do not fit its architecture"):
        network_from(architecture(latent_dim=6), arrays)
    with pytest.raises(InputError, match="weights do not fit its architecture"):
        network_from({}, {"mean": np.zeros(1, np.float32)})
