"""`fitmap export`: a trained network as an ONNX file, checked against the network itself before it takes its place."""

import contextlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from stages.autoencoder import training as autoencoder
from stages.autoencoder.network import scale_lengths
from stages.common.artifacts import read_arrays, read_weights, write_bytes
from stages.common.errors import InputError
from stages.regressor import network as regressor

CLOSE = 1e-5  # what onnxruntime may differ by
CHECKED = 2000  # inputs of the check


@dataclass(frozen=True)
class Model:
    """What is exported: `module` with its input `given`, and what the first of its `outputs` must be for `samples`."""

    module: nn.Module
    samples: np.ndarray
    expected: np.ndarray
    given: str
    outputs: tuple[str, ...]
    meaning: str


class LeakyReLU(nn.Module):
    """LeakyReLU in terms for which onnxruntime has double precision; a bare number would be float32 in the file."""

    def __init__(self, slope: float):
        super().__init__()
        self.register_buffer("slope", torch.tensor(slope, dtype=torch.float64))

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.maximum(hidden, hidden * self.slope)


def in_double_precision(network: regressor.Regressor) -> regressor.Regressor:
    """Return the regressor in float64: where y is in the hundreds, single precision alone rounds by 1e-5."""
    layers = network.double().network.layers
    for name, layer in layers.named_children():
        if isinstance(layer, nn.LeakyReLU):
            setattr(layers, name, LeakyReLU(layer.negative_slope))
    return network


class Encoder(nn.Module):
    """Images (n, c, h, w) float32, intensities 0 to 1, to latents (n, d) float32; c is 1 (grey) or 3 (RGB).

    A convolutional network's vectors are not refined: ONNX has no gradients.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return scale_lengths(self.network.project(images), self.network.architecture["length_power"])


def export(name: str, path: Path) -> None:
    """Write the model `name` (regressor or encoder) to `path`, and print its inputs, outputs and how exact it is.

    Raises `InputError` if onnxruntime does not give the network's own numbers; then nothing is written.
    """
    if name not in MODELS:
        raise InputError(f"{name!r} cannot be exported; what can is {' and '.join(MODELS)}")
    model = MODELS[name]()
    content = onnx_bytes(model)
    difference = furthest(content, model)
    if not difference <= CLOSE:
        raise InputError(f"the file differs from the {name} by {difference:.2g}, {CLOSE:g} is allowed")
    write_bytes(str(path), content)
    print(f"{path}: {model.meaning}; onnxruntime differs by at most {difference:.1g} on {len(model.samples)} inputs")


def read_regressor() -> Model:
    """Read the fitted curve; it is checked over its training range against the same network in double precision.

    `fitmap predict` computes in single precision, which costs it some 1e-6 of y's standard deviation.
    """
    network = in_double_precision(regressor.network_from(*read_weights("data/regressor.safetensors")))
    x = np.linspace(float(network.x_low), float(network.x_high), CHECKED)
    meaning = "x float64 (n,) to y, lower, upper float64 (n,)"
    return Model(network, x, regressor.predict(network, x)[0], "x", ("y", "lower", "upper"), meaning)


def read_encoder() -> Model:
    """Read the way from images to latents; it is checked on the last images."""
    architecture, weights = read_weights("data/autoencoder.safetensors")
    if not weights:
        raise InputError("the latents come from another source than the autoencoder, so there is no encoder to export")
    network = autoencoder.network_from(architecture, weights)
    last = read_arrays("data/images.npz")["images"][-CHECKED:]
    images = autoencoder.intensities(autoencoder.as_tensor(last))
    module = Encoder(network).eval()
    with torch.no_grad():
        expected = module(images).numpy()
    shape = ", ".join(map(str, images.shape[1:]))
    meaning = f"images float32 (n, {shape}), 0 to 1, to latents float32 (n, {expected.shape[1]})"
    if not network.is_dense:
        latents = autoencoder.encode(network, last, "cpu")
        change = np.linalg.norm(latents - expected, axis=1).mean() / np.linalg.norm(expected, axis=1).mean()
        meaning += f", before fitmap refines them (which changes them by {change:.0%})"
    return Model(module, images.numpy(), expected, "images", ("latents",), meaning)


MODELS = {"regressor": read_regressor, "encoder": read_encoder}


def onnx_bytes(model: Model) -> bytes:
    """Return the model as an ONNX file for any number n of inputs, without the exporter's reports on its own work."""
    options = {"input_names": [model.given], "output_names": list(model.outputs), "dynamo": True, "verbose": False}
    options["dynamic_shapes"] = ({0: torch.export.Dim("n", min=1)},)
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            program = torch.onnx.export(model.module, (torch.from_numpy(model.samples[:3]),), **options)
        except ImportError as error:
            raise missing(error)
    return program.model_proto.SerializeToString()


def furthest(content: bytes, model: Model) -> float:
    """Return the largest difference between what onnxruntime makes of the samples and what is expected."""
    try:
        from onnxruntime import InferenceSession
    except ImportError as error:
        raise missing(error)
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs = session.run([model.outputs[0]], {model.given: model.samples})
    return float(np.abs(outputs[0] - model.expected).max())


def missing(error: ImportError) -> InputError:
    return InputError(f"export needs the packages of the extra `onnx`: pip install 'fitmap[onnx]' ({error})")
