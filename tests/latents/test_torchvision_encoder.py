import hashlib

import numpy as np
import pytest
import torch

from stages.common.errors import InputError
from stages.common.torchvision_import import torchvision
from stages.latents import torchvision_encoder
from stages.latents.torchvision_encoder import load_encoder

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3)).astype(np.uint8)


def save_weights(path, name="resnet18", **options):
    """Save the weights of a network of that architecture, drawn with a seed."""
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None, **options).eval()
    torch.save(network.state_dict(), path)
    return network


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("resnet18", "flatten"),
        ("mobilenet_v3_small", "classifier.2"),
        pytest.param("efficientnet_b0", "flatten", marks=pytest.mark.full),
        pytest.param("densenet121", "flatten", marks=pytest.mark.full),
        pytest.param("vit_b_32", "getitem_5", marks=pytest.mark.full),
    ],
)
def test_features_equal_those_of_torchvisions_extractor(tmp_path, name, node):
    from torchvision.models.feature_extraction import create_feature_extractor  # works once the import above has

    network = save_weights(tmp_path / "weights.pth", name, num_classes=7)
    encoder = load_encoder(f"torchvision/{name}", str(tmp_path / "weights.pth"))
    found = encoder.encode(IMAGES, CPU)
    transform = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    extractor = create_feature_extractor(network, [node])
    with torch.no_grad():
        expected = extractor(transform(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).contiguous()))[node].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_grey_images_are_encoded_as_colour_images_with_equal_channels(tmp_path):
    save_weights(tmp_path / "weights.pth", num_classes=2)
    encoder = load_encoder("torchvision/resnet18", str(tmp_path / "weights.pth"))
    grey = IMAGES[..., 0]
    np.testing.assert_array_equal(encoder.encode(grey, CPU), encoder.encode(np.repeat(grey[..., None], 3, axis=3), CPU))


def test_the_files_hash_is_recorded(tmp_path):
    path = tmp_path / "weights.pth"
    save_weights(path, num_classes=2)
    encoder = load_encoder("torchvision/resnet18", str(path))
    assert encoder.description == {
        "model": "resnet18", "weights": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()
    }  # fmt: skip


def test_without_network_the_error_says_what_to_download_and_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def no_network(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(InputError, match=r"weights/resnet18-f37072fd\.pth is missing .* download http.*resnet18"):
        load_encoder("torchvision/resnet18", "DEFAULT")


def test_a_download_with_the_wrong_checksum_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torchvision_encoder.FOLDER.mkdir(parents=True)
    save_weights(torchvision_encoder.FOLDER / "resnet18-f37072fd.pth")
    with pytest.raises(InputError, match=r"is damaged: its SHA-256 begins with \w{8}, not f37072fd: delete it"):
        load_encoder("torchvision/resnet18", "DEFAULT")


@pytest.mark.parametrize(
    ("source", "weights", "message"),
    [
        ("torchvision/resnet19", "DEFAULT", "resnet19' is not a model of torchvision: alexnet"),
        ("torchvision/resnet18", "none.pth", "latents.weights = 'none.pth' is neither DEFAULT nor a file"),
        ("torchvision/resnet18", "text.pth", "text.pth cannot be read as .pth or .safetensors weights"),
        ("torchvision/resnet18", "alexnet.pth", "alexnet.pth does not hold the weights of resnet18"),
    ],
)
def test_a_wrong_model_or_file_is_refused(tmp_path, monkeypatch, source, weights, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"a.bias": torch.zeros(3)}, "alexnet.pth")
    with pytest.raises(InputError, match=message):
        load_encoder(source, weights)
