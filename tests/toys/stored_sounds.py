"""Waves as the bytes of files, in every format that is read."""

import io

import av
import numpy as np
import soundfile

RATE = 8000


def stored(wave: np.ndarray, rate: int = RATE, subtype: str = "FLOAT", kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, wave, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def by_av(wave: np.ndarray, rate: int, container: str, codec: str) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as file:
        track = file.add_stream(codec, rate=rate)
        track.layout = "mono"
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        cut = av.AudioResampler(format=track.format, layout="mono", rate=rate, frame_size=track.frame_size or 960)
        for part in [*cut.resample(frame), *cut.resample(None), None]:
            file.mux(track.encode(part))
    return stream.getvalue()


STORED = [
    ("wav", "WAV", "PCM_16"), ("aiff", "AIFF", "PCM_24"), ("au", "AU", "PCM_16"), ("w64", "W64", "FLOAT"),
    ("flac", "FLAC", "PCM_16"), ("caf", "CAF", "PCM_16"), ("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
]  # fmt: skip
BY_AV = [("m4a", "ipod", "aac"), ("mp4", "mp4", "aac"), ("webm", "webm", "libopus")]


def whole_sounds():
    """(name, bytes) of 4 s of noise in every format that states its length, or ends with a mark."""
    wave = np.random.default_rng(0).uniform(-0.3, 0.3, 4 * 48000).astype(np.float32)
    for ending, kind, subtype in STORED:
        yield f"a.{ending}", stored(wave, 48000, subtype, kind)
    for ending, container, codec in BY_AV:
        yield f"a.{ending}", by_av(wave, 48000, container, codec)
