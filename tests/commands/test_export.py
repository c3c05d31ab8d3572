import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from commands import export
from commands.fitmap import app
from stages.autoencoder.network import scale_lengths
from stages.autoencoder.training import network_from as encoder_from
from stages.autoencoder.training import new_network
from stages.common.artifacts import read_weights, write_arrays, write_weights
from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.regressor.network import arrays_of, network_from, predict
from tests.regressor.test_network import build

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra `onnx`)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project's folder with untrained networks: a regressor and a convolutional encoder."""
    folder = tmp_path_factory.mktemp("models")
    network = build(hidden_layers=[16, 8])
    write_weights(str(folder / "data/regressor.safetensors"), network.architecture, arrays_of(network))

    params = load_params("autoencoder").model_copy(update={"architecture": "conv", "channels": 8, "latent_dim": 5})
    autoencoder = new_network((9, 7, 3), params)
    weights = {name: tensor.numpy() for name, tensor in autoencoder.state_dict().items()}
    write_weights(str(folder / "data/autoencoder.safetensors"), autoencoder.architecture, weights)
    images = np.random.default_rng(0).integers(0, 256, (60, 9, 7, 3), dtype=np.uint8)
    write_arrays(str(folder / "data/images.npz"), images=images)
    return folder


@pytest.fixture
def project(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_the_regressors_file_gives_the_curve_and_its_band_for_any_number_of_x(project):
    done = CliRunner().invoke(app, ["export", "regressor", "curve.onnx"])
    assert done.exit_code == 0, done.exception
    session = onnxruntime.InferenceSession("curve.onnx")
    network = network_from(*read_weights("data/regressor.safetensors"))
    for x in (np.array([2.5]), np.linspace(-12, 12, 777)):
        outputs = session.run(["y", "lower", "upper"], {"x": x})
        np.testing.assert_allclose(outputs, predict(network.double(), x), rtol=0, atol=1e-5)


def test_the_encoders_file_gives_the_latents(project):
    done = CliRunner().invoke(app, ["export", "encoder", "encoder.onnx"])
    assert "images float32 (n, 3, 9, 7), 0 to 1, to latents float32 (n, 5), before fitmap refines them" in done.stdout
    images = np.random.default_rng(1).random((7, 3, 9, 7), dtype=np.float32)
    network = encoder_from(*read_weights("data/autoencoder.safetensors"))
    with torch.no_grad():
        expected = scale_lengths(network.project(torch.from_numpy(images)), network.architecture["length_power"])
    found = onnxruntime.InferenceSession("encoder.onnx").run(["latents"], {"images": images})[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_file_that_gives_other_numbers_is_not_written(project, monkeypatch):
    content = (project / "curve.onnx").read_bytes()
    monkeypatch.setattr(export, "onnx_bytes", lambda model: content)
    network = network_from(*read_weights("data/regressor.safetensors"))
    network.y_centre += 1e-3
    write_weights("data/regressor.safetensors", network.architecture, arrays_of(network))
    with pytest.raises(InputError, match=r"differs from the regressor by 0\.001, 1e-05 is allowed"):
        export.export("regressor", project / "other.onnx")
    assert not (project / "other.onnx").exists()


def test_another_name_is_refused(project):
    with pytest.raises(InputError, match="'decoder' cannot be exported; what can is regressor and encoder"):
        export.export("decoder", project / "decoder.onnx")
