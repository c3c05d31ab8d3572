"""How data travels inside one HTML file: text in base 85, images in lossless sheets, networks in small integers."""

import base64
import io
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

SHEET_PIXELS = 2048  # side of a full sprite sheet: every GPU with WebGL 2 takes a texture of that size
TAGLESS = bytes.maketrans(b"<", b".")  # base 85 uses no dot, and HTML no other sign to begin a tag
WEIGHT_BITS, LATENT_BITS = 6, 8  # neighbours found so agree in 98 to 99 of 100 with those in float32


@dataclass(frozen=True)
class Encoder:
    """What finds a new image's neighbours: an autoencoder's encoding half, and the latents of the mapped points.

    architecture, arrays: as `read_weights` gives them; what belongs to the decoder is left out. latents: float (n, d).
    far: the mean distance to a point's neighbours beyond which an image is unlike all that the map shows.
    framing: how the training images lie in their frame, `size`, `ground`, `extent`.
    """

    architecture: dict
    arrays: dict[str, np.ndarray]
    latents: np.ndarray
    far: float
    framing: dict


def as_text(content: np.ndarray | bytes) -> str:
    """RFC 1924's base 85 with `.` for `<`: a quarter longer than the bytes, where base 64 would be a third longer."""
    content = content.tobytes() if isinstance(content, np.ndarray) else content
    return base64.b85encode(content).translate(TAGLESS).decode("ascii")


def sheets(images: np.ndarray) -> tuple[dict[str, int], list[bytes]]:
    """uint8 (n, h, w) as lossless WebP sheets, row by row, and the layout of their cells."""
    count, height, width = images.shape
    columns = min(max(1, SHEET_PIXELS // width), int(np.ceil(np.sqrt(count))))
    rows = min(max(1, SHEET_PIXELS // height), -(-count // columns))
    encoded = []
    for first in range(0, count, columns * rows):
        part = images[first : first + columns * rows]
        grid = np.zeros((-(-len(part) // columns) * columns, height, width), np.uint8)
        grid[: len(part)] = part
        sheet = grid.reshape(-1, columns, height, width).swapaxes(1, 2).reshape(-1, columns * width)
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "WEBP", lossless=True, quality=0, method=4)  # 75 is no smaller
        encoded.append(file.getvalue())
    return {"width": width, "height": height, "columns": columns, "rows": rows}, encoded


def packed(encoder: Encoder) -> tuple[dict, bytes]:
    """A description for the page's header, and the deflated bytes that it describes.

    The bytes are all scales, biases and the mean as float32, then all levels as int8. `layers` are in the order of
    their use; a weight or the latents (transposed: one row a dimension) are `levels` times the `scales` of their rows.
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
    linear = encoder.architecture["linear_path"]
    described = {
        "layers": layers,
        "linear": add(arrays["linear_encoder.weight"], WEIGHT_BITS) if linear else None,
        "latents": add(np.ascontiguousarray(encoder.latents.T), LATENT_BITS),
        "lengthPower": 1 - encoder.architecture["length_compression"],
        "size": encoder.architecture["image_shape"],
        "far": encoder.far,
        "framing": encoder.framing,
    }
    floats = [array.astype("<f4").tobytes() for array in floats]
    described["floats"] = sum(map(len, floats)) // 4
    return described, zlib.compress(b"".join([*floats, *(array.tobytes() for array in levels)]), 9)


def _levels(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Each row's scale (rows,) float32, and the int8 multiples of it that come nearest to its values."""
    most = 2 ** (bits - 1) - 1
    rows = matrix.reshape(len(matrix), -1)
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-12).astype(np.float32) / most
    return scales, np.rint(rows / scales[:, None]).astype(np.int8)
