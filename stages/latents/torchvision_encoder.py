"""Features of a pretrained network: what a classification model of torchvision sees of the images.

The latents are the penultimate features, the input of the layer that tells the classes apart (for resnet18, 512
numbers). Images are resized and normalised as the weights ask for.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.settings import VECTOR_FILES

PREFIX = "torchvision/"  # of latents.source
FOLDER = Path("data/input/weights")
BATCH = 32  # images at once; the last bits of a feature depend on it
THREADS = 2  # fixed, as the last bits of a sum depend on it
HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.\w+$")  # torchvision names its files by the start of their SHA-256


@dataclass(frozen=True)
class TorchvisionEncoder:
    """A network without its last layer. `transform` takes uint8 (b, 3, h, w) to what `network` takes."""

    network: nn.Module
    last: nn.Module
    transform: object
    description: dict

    @torch.no_grad()
    def encode(self, images: np.ndarray, device: torch.device) -> np.ndarray:
        """Return the features (n, d) float32 of images (n, h, w) or (n, h, w, 3) uint8."""
        torch.set_num_threads(THREADS)
        network, features = self.network.to(device).eval(), []
        hook = self.last.register_forward_pre_hook(lambda _, inputs: features.append(flat(inputs[0]).cpu()))
        try:
            starts = range(0, len(images), BATCH)
            if len(starts) > 1:
                starts = progress(starts, f"features of {self.description['model']}", unit="batch")
            for start in starts:
                batch = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH]))
                batch = batch[..., None].expand(*batch.shape, 3) if batch.ndim == 3 else batch
                network(self.transform(batch.permute(0, 3, 1, 2).contiguous()).to(device))
        finally:
            hook.remove()
        return torch.cat(features).numpy()


def flat(features: Tensor) -> Tensor:
    """Return features (b, d); those of a convolution (b, d, h, w) are averaged over the image."""
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features


def load_encoder(source: str, weights: str) -> TorchvisionEncoder:
    """Return the encoder that `latents.source` and `latents.weights` name.

    `weights` is DEFAULT, which downloads torchvision's own to `data/input/weights/`, or a .pth or .safetensors file.
    Raises `InputError` for an unknown model, a file that is missing, damaged or of another model, or without network.
    """
    from stages.common.torchvision_import import torchvision

    models, name = torchvision.models, source.removeprefix(PREFIX)
    known = models.list_models(module=models)
    if source == name and name not in known:
        raise InputError(
            f"params.yaml: latents.source = {source!r} is neither autoencoder, torchvision/MODEL nor a table "
            f"({', '.join(VECTOR_FILES)})"
        )
    if name not in known:
        raise InputError(f"params.yaml: latents.source = {source!r} is not a model of torchvision: {', '.join(known)}")
    default = models.get_model_weights(name).DEFAULT
    path = download(default.url) if weights == "DEFAULT" else Path(weights)
    state = read_state(path)
    options = {"transform_input": True, "init_weights": False} if name in ("inception_v3", "googlenet") else {}
    with torch.random.fork_rng(devices=[]):
        try:
            network = models.get_model(name, weights=None, num_classes=class_count(state), **options)
            network.load_state_dict(state)
        except Exception as error:  # names and shapes differ in many ways
            raise InputError(f"{path} does not hold the weights of {name} ({error})") from None
    last = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return TorchvisionEncoder(
        network, last, default.transforms(), {"model": name, "weights": str(path), "sha256": sha256}
    )


def download(url: str) -> Path:
    """Return torchvision's own weights file in `data/input/weights/`, downloaded if it is not there, and checked."""
    path = FOLDER / url.rsplit("/", 1)[1]
    expected = HASH_IN_NAME.search(path.name)[1]
    if not path.is_file():
        try:
            FOLDER.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), hash_prefix=expected)
        except Exception as error:  # network and disk fail in many ways
            raise InputError(f"{path} is missing and cannot be downloaded ({error}): download {url} to it") from None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if not found.startswith(expected):
        raise InputError(f"{path} is damaged: its SHA-256 begins with {found[:8]}, not {expected}: delete it")
    return path


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the weights by name of a .safetensors file, or of a .pth file, read without running its pickle's code."""
    if not path.is_file():
        raise InputError(f"params.yaml: latents.weights = {str(path)!r} is neither DEFAULT nor a file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            state = next((state[key] for key in ("state_dict", "model") if isinstance(state.get(key), dict)), state)
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}  # as DataParallel saves them
    except Exception as error:  # a damaged file fails in many ways
        raise InputError(f"{path} cannot be read as .pth or .safetensors weights ({error})") from None


def class_count(state: dict[str, Tensor]) -> int:
    """Return how many classes the weights tell apart: the length of the last bias."""
    return next(len(tensor) for name, tensor in reversed(state.items()) if name.endswith("bias"))
