"""Images as WebP sprite sheets."""

import io

import numpy as np
from PIL import Image

SHEET_PIXELS = 2048  # side of a full sheet: every GPU with WebGL 2 takes a texture of that size
LOSSLESS_PIXELS = 32 * 32  # grey images up to this size are always kept exactly
SAMPLE = 64  # images on which lossy and lossless are compared
GAIN = 0.6  # lossy is used if it takes at most this share of the bytes: photographs, not drawings of few colours
QUALITY = 70  # of lossy WebP


def sheet_layout(images: np.ndarray) -> dict[str, int]:
    """Return cell width and height, and columns and rows of a full sheet, for images (n, h, w) or (n, h, w, 3)."""
    count, height, width = images.shape[:3]
    columns = min(max(1, SHEET_PIXELS // width), int(np.ceil(np.sqrt(count))))
    rows = min(max(1, SHEET_PIXELS // height), -(-count // columns))
    return {"width": width, "height": height, "columns": columns, "rows": rows}


def sprite_sheets(images: np.ndarray) -> list[bytes]:
    """Encode uint8 images (n, h, w) grey or (n, h, w, 3) as WebP sheets filled row by row."""
    layout = sheet_layout(images)
    lossless = _is_better_lossless(images)
    per_sheet = layout["columns"] * layout["rows"]
    parts = (images[first : first + per_sheet] for first in range(0, len(images), per_sheet))
    return [_webp(_grid(part, layout["columns"]), lossless) for part in parts]


def _grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Arrange images (n, h, w, ...) in rows of `columns`; the last row is filled up with black."""
    count, height, width, *channels = images.shape
    grid = np.zeros((-(-count // columns) * columns, height, width, *channels), np.uint8)
    grid[:count] = images
    rows = grid.reshape(-1, columns, height, width, *channels).swapaxes(1, 2)
    return np.ascontiguousarray(rows).reshape(-1, columns * width, *channels)


def _is_better_lossless(images: np.ndarray) -> bool:
    if images.ndim == 3 and images.shape[1] * images.shape[2] <= LOSSLESS_PIXELS:
        return True
    sample = _grid(images[:: max(1, len(images) // SAMPLE)][:SAMPLE], 8)
    return len(_webp(sample, lossless=False)) > GAIN * len(_webp(sample, lossless=True))


def _webp(sheet: np.ndarray, lossless: bool) -> bytes:
    file = io.BytesIO()
    if lossless:
        Image.fromarray(sheet).save(file, "WEBP", lossless=True, quality=0, method=4)  # quality 75 is no smaller
    else:
        Image.fromarray(sheet).save(file, "WEBP", quality=QUALITY, method=4)
    return file.getvalue()
