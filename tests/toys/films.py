"""Small films and sounds in the containers of phones and of VoxCeleb2, made with PyAV."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np


def film(file: Path, frames: Sequence[np.ndarray], rate: int = 25) -> Path:
    """An MP4 of frames (H, W, 3) uint8, sides even; every twelfth is a key frame, whatever they show."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=rate, options={"g": "12", "sc_threshold": "1000000000"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 2_000_000
        for frame in frames:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        made.mux(stream.encode())
    return file


def m4a(file: Path, wave: np.ndarray, rate: int = 16_000) -> Path:
    """AAC in an M4A of a wave (T,), float32 in [-1, 1]."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w", format="mp4") as made:
        stream = made.add_stream("aac", rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[None], dtype=np.float32), "fltp", "mono")
        frame.sample_rate = rate
        made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return file
