"""Files with colours of 16 bits, which Pillow reads but does not write."""

import struct
import zlib

import numpy as np


class SixteenBits:
    """Colours uint16 (h, w, 3 | 4) that can be saved as PNG or TIFF, which Pillow cannot."""

    def __init__(self, colours):
        self.colours = np.asarray(colours, dtype=np.uint16)

    def save(self, path):
        path.write_bytes(self.png() if path.suffix == ".png" else self.tiff())

    def png(self) -> bytes:
        def chunk(name, data):
            return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

        height, width, channels = self.colours.shape
        header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in self.colours)
        chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + chunks

    def tiff(self, planes=1) -> bytes:
        height, width, channels = self.colours.shape
        bits, data = struct.pack("<3H", 16, 16, 16), self.colours.astype("<u2").tobytes()
        tags = {256: width, 257: height, 258: 8, 259: 1, 262: 2, 273: 14, 277: channels, 278: height, 279: len(data)}
        tags[284] = planes
        counts = {258: 3}
        entries = b"".join(struct.pack("<HHII", tag, 3 if tag == 258 else 4, counts.get(tag, 1), value)
                           for tag, value in tags.items())  # fmt: skip
        where = 14 + len(data)
        return struct.pack("<2sHI", b"II", 42, where) + bits + data + struct.pack("<H", len(tags)) + entries + bytes(4)
