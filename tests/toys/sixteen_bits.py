"""Colours of 16 bits, which Pillow reads and does not write."""

import struct
import zlib

import numpy as np


def of_sixteen_bits(values: np.ndarray, kind: str = "PNG") -> bytes:
    """(H, W, channels) as a PNG of 16 bits, or as a TIFF or a PPM."""
    height, width, channels = values.shape
    if kind == "PPM":
        return b"P6 %d %d 65535\n" % (width, height) + values.astype(">u2").tobytes()
    if kind == "TIFF":
        data, count = values.astype("<u2").tobytes(), channels
        tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, count, 0), (259, 3, 1, 1), (262, 3, 1, 2)]
        tags += [(273, 4, 1, 8), (277, 3, 1, count), (278, 3, 1, height), (279, 4, 1, len(data))]
        tags += [(338, 3, 1, 2)] if count == 4 else []
        end = 8 + len(data) + 2 + 12 * len(tags) + 4
        fields = b"".join(struct.pack("<HHII", *tag[:3], end if tag[0] == 258 else tag[3]) for tag in tags)
        head = b"II*\0" + struct.pack("<I", 8 + len(data))
        return head + data + struct.pack("<H", len(tags)) + fields + bytes(4) + struct.pack("<4H", *[16] * 4)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [b"IHDR" + head, b"IDAT" + zlib.compress(rows), b"IEND"]
    checked = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(checked)
