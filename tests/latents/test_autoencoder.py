import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from stages.latents.autoencoder import Autoencoder, principal_components
from stages.latents.garments import draw_garments

KINDS = [("dense", [24, 16]), ("dense", []), ("conv", [4, 6]), ("conv", [4])]


def build(kind, hidden, shape=(28, 28), linear_path=True):
    architecture = {
        "kind": kind, "image_shape": list(shape), "latent_dim": 5, "hidden": hidden, "linear_path": linear_path,
    }  # fmt: skip
    return Autoencoder(architecture)


@pytest.mark.parametrize(("kind", "hidden"), KINDS)
@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (9, 14), (31, 17)])
def test_any_image_size_comes_back_in_its_shape(kind, hidden, shape):
    network = build(kind, hidden, shape)
    images = torch.rand(3, 1, *shape)
    latents = network.encode(images)
    assert latents.shape == (3, 5)
    assert network.decode(latents).shape == images.shape


@pytest.mark.parametrize(("kind", "hidden"), KINDS)
def test_with_a_linear_path_training_starts_at_pca(kind, hidden):
    images = draw_garments(300, seed=0)[0]
    intensities = torch.from_numpy(images)[:, None] / 255
    network = build(kind, hidden)
    network.start_as_pca(intensities, torch.Generator().manual_seed(0))
    with torch.no_grad():
        error = (network.decode(network.encode(intensities)) - intensities).square().mean().item()
    flat = intensities.flatten(1).numpy()
    pca = PCA(5).fit(flat)
    assert error == pytest.approx(np.mean((pca.inverse_transform(pca.transform(flat)) - flat) ** 2), rel=1e-3)


def test_principal_components_are_scikit_learns_but_for_their_sign():
    rows = torch.randn(200, 30, generator=torch.Generator().manual_seed(0)) * torch.linspace(3, 0.1, 30)
    rows = rows - rows.mean(dim=0)
    components = principal_components(rows, 4, torch.Generator().manual_seed(1)).numpy()
    expected = PCA(4).fit(rows.numpy()).components_
    np.testing.assert_allclose(np.abs(np.sum(components * expected, axis=1)), 1, atol=1e-3)


def test_directions_the_data_do_not_have_are_zero():
    rows = torch.randn(6, 20, generator=torch.Generator().manual_seed(0))
    components = principal_components(rows - rows.mean(dim=0), 9, torch.Generator().manual_seed(1))
    assert components.shape == (9, 20)
    assert not components[6:].any()
    assert torch.isfinite(components).all()


def test_without_a_linear_path_it_is_the_network_alone():
    network = build("dense", [24], linear_path=False)
    assert not any(name.startswith("linear") for name in network.state_dict())
    assert network.encode(torch.rand(2, 1, 28, 28)).shape == (2, 5)
