"""The encoder that places images within the page, with its weights as small integers."""

from dataclasses import dataclass

import numpy as np

from stages.page.pack_bytes import deflated

WEIGHT_BITS, LATENT_BITS = 6, 8  # neighbours found so agree in 98 to 99 of 100 with those in float32


@dataclass(frozen=True)
class Encoder:
    """What finds a new image's neighbours: an autoencoder's encoder, and the latents of the mapped points.

    architecture, arrays: from `read_weights`, see `is_packable`; the decoder's arrays are ignored. latents: float
    (n, d). far: mean distance to a point's neighbours beyond which an image is unlike all others on the map.
    framing: how the training images lie in their square: `size` (pixels), `ground` (0 or 255), `extent` (pixels).
    """

    architecture: dict
    arrays: dict[str, np.ndarray]
    latents: np.ndarray
    far: float
    framing: dict


def is_packable(architecture: dict) -> bool:
    """Return whether the page can compute the encoder: dense layers of grey images, with a linear path."""
    return architecture.get("name") == "dense" and len(architecture["image_shape"]) == 2


def pack_encoder(encoder: Encoder) -> tuple[dict, bytes]:
    """Return a description for the page's header and the deflated bytes that it describes.

    The bytes are all scales, biases and the mean as float32, then all levels as int8. `layers` are in the order of
    their use; `lengthPower` is the power of the latents' lengths. A weight, and the latents (transposed: one row for
    each dimension), are `levels` times the `scales` of their rows.
    """
    arrays = encoder.arrays
    names = [name for name in arrays if name.startswith("encoder.") and name.endswith(".weight")]
    names.sort(key=lambda name: int(name.split(".")[1]))
    floats, levels = [arrays["mean"]], []

    def add(matrix: np.ndarray, bits: int) -> list[int]:
        scales, quantised = _levels(matrix, bits)
        floats.append(scales)
        levels.append(quantised)
        return list(matrix.shape)

    layers = []
    for name in names:
        layers.append(add(arrays[name], WEIGHT_BITS))
        floats.append(arrays[name.replace("weight", "bias")])
    described = {
        "layers": layers,
        "linear": add(arrays["linear_encoder.weight"], WEIGHT_BITS),
        "lengthPower": encoder.architecture["length_power"],
        "latents": add(np.ascontiguousarray(encoder.latents.T), LATENT_BITS),
        "size": encoder.architecture["image_shape"],
        "far": encoder.far,
        "framing": encoder.framing,
    }
    floats = [array.astype("<f4").tobytes() for array in floats]
    described["floats"] = sum(map(len, floats)) // 4
    return described, deflated(b"".join([*floats, *(array.tobytes() for array in levels)]))


def _levels(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's scale (rows,) float32, and the int8 multiples of it that come nearest to its values."""
    most = 2 ** (bits - 1) - 1
    rows = matrix.reshape(len(matrix), -1)
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-12).astype(np.float32) / most
    return scales, np.rint(rows / scales[:, None]).astype(np.int8)
