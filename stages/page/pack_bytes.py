"""Text for binary data inside an HTML file."""

import base64
import json
import zlib
from collections.abc import Sequence

import numpy as np

TAGLESS = bytes.maketrans(b"<", b".")  # base 85 uses no dot, and HTML no other sign to begin a tag


def as_text(content: np.ndarray | bytes) -> str:
    """Encode bytes in RFC 1924's base 85 with `.` for `<`: 5 characters for 4 bytes, where base 64 takes 5.33."""
    content = content.tobytes() if isinstance(content, np.ndarray) else content
    return base64.b85encode(content).translate(TAGLESS).decode("ascii")


def deflated(content: np.ndarray | bytes) -> bytes:
    """Compress bytes with zlib; the page inflates them with `DecompressionStream`."""
    return zlib.compress(content.tobytes() if isinstance(content, np.ndarray) else content, 9)


def deflated_strings(strings: Sequence[str]) -> bytes:
    """Compress a list of strings as JSON; what UTF-8 cannot hold (a lone surrogate) becomes `?`."""
    return deflated(json.dumps(list(strings), ensure_ascii=False).encode("utf-8", "replace"))
