"""Files that claim what they do not hold, and sounds of phones and browsers that were cut: read rightly or rejected."""

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from cross_modal_kd.modalities.speech.read import decode_speech, examine_speech
from cross_modal_kd.samples import UnreadableSampleError
from fuzzing import Kind

SRC = Path(__file__).parents[2] / "src"
MOST_MB = 700

READER = """
import json, resource, sys
from pathlib import Path

import numpy as np, soundfile, soxr
from PIL import Image, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from cross_modal_kd.modalities.image.read import examine_image
from cross_modal_kd.modalities.speech.read import decode_speech, examine_speech, resample
from cross_modal_kd.samples import UnreadableSampleError

def mb(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) / 1024

np.fft.rfft(np.ones(8))
most = int((mb("VmSize") + float(sys.argv[2])) * 2**20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for file in sorted(Path(sys.argv[1]).iterdir()):
    try:
        if file.suffix == ".wav":
            about = examine_speech(file, file.name)
            sound, rate = decode_speech(file, file.name)
            said = [about.duration_s, rate, len(sound)]
        else:
            pixels, size = examine_image(file, file.name)
            said = [*size, *pixels.shape]
    except UnreadableSampleError as error:
        assert error.name == file.name
        said = error.reason
    print(json.dumps([file.name, said, mb("VmHWM")]), flush=True)
"""


def sound_that_claims(rate: int, channels: int, bits: int, size: int, held: int, kind: int) -> bytes:
    """A WAV whose header says what it likes."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * block % 2**32, block % 2**16, bits)
    data = np.random.default_rng(0).bytes(held)
    head = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(2**32 - 1, size + 36)) + b"WAVE" + head + data


def picture_that_claims(width: int, height: int, depth: int, colour: int) -> bytes:
    """A PNG of that size, with the beginning of its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(5000))) + chunk(b"IEND", b"")


def tiff_that_claims(width: int, height: int, bits: int, rows: int, size: int) -> bytes:
    """A TIFF of that size in one strip of so many bytes."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 150)]
    entries += [(277, 3, 1), (278, 4, rows), (279, 4, size)]
    listed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + listed + bytes(400)


NUMBERS = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 7, 8, 13_000, 2**16, 2**31 - 1, 2**32 - 1]))
SIDES = st.one_of(NUMBERS, st.integers(1, 20_000))
CLAIMS = {
    "wav": st.builds(
        sound_that_claims,
        rate=st.one_of(NUMBERS, st.sampled_from([8000, 44_101, 48_000, 767_999])),
        channels=st.one_of(st.integers(1, 8), st.sampled_from([0, 255, 1023, 1024, 65_535])),
        bits=st.sampled_from([0, 8, 16, 24, 32, 64]),
        size=NUMBERS,
        held=st.integers(0, 5000),
        kind=st.sampled_from([1, 3, 6, 7, 17, 0xFFFE]),
    ),
    "png": st.builds(
        picture_that_claims, SIDES, SIDES, st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from([0, 2, 3, 4, 6])
    ),
    "tif": st.builds(tiff_that_claims, SIDES, SIDES, st.sampled_from([1, 8, 16, 32]), NUMBERS, NUMBERS),
}
FILES = st.lists(
    st.one_of([st.tuples(st.just(ending), content) for ending, content in CLAIMS.items()]), min_size=30, max_size=60
)


def _little_memory(files) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for number, (ending, content) in enumerate(files):
            Path(folder, f"{number:03d}.{ending}").write_bytes(content)
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READER, folder, str(MOST_MB)],
            **{"capture_output": True, "text": True, "env": {"PYTHONPATH": str(SRC), "OMP_NUM_THREADS": "1"}},
        )
        told = [json.loads(line) for line in ran.stdout.splitlines()]
        assert ran.returncode == 0, (files[len(told)], ran.stderr[-2000:])
        assert len(told) == len(files)
        assert all(isinstance(said, list) or said for _, said, _ in told)
        assert told[-1][2] < MOST_MB


AV = {"m4a": ("ipod", "aac"), "mp4": ("mp4", "aac"), "aac": ("adts", "aac"), "webm": ("webm", "libopus")}


def written(ending: str, rate: int, seconds: float, layout: str, frequency: float) -> bytes:
    """A sine in one of the containers of phones and browsers."""
    import av

    container, codec = AV[ending]
    rate = 48_000 if codec == "libopus" else rate
    sine = 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)
    values = np.tile(sine.astype(np.float32), (2 if layout == "stereo" else 1, 1))
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as file:
        track = file.add_stream(codec, rate=rate)
        track.layout = layout
        frame = av.AudioFrame.from_ndarray(values, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        cut = av.AudioResampler(format=track.format, layout=layout, rate=rate, frame_size=track.frame_size or 960)
        for part in [*cut.resample(frame), *cut.resample(None), None]:
            file.mux(track.encode(part))
    return stream.getvalue()


def _container(ending, rate, seconds, layout, frequency, cut, flipped) -> None:
    whole = written(ending, rate, seconds, layout, frequency)
    data = bytearray(whole[: int(cut * len(whole))])
    for place in flipped:
        if data:
            data[int(place * (len(data) - 1))] ^= 0x55
    name = f"f/a.{ending}"
    try:
        about = examine_speech(bytes(data), name)
        sound, found_rate = decode_speech(bytes(data), name)
    except UnreadableSampleError as error:
        assert error.name == name and error.reason
        assert cut < 1 or flipped
        return
    assert sound.dtype == np.float32 and np.isfinite(sound).all() and np.abs(sound).max(initial=0) <= 1
    assert found_rate == about.sample_rate and about.duration_s > 0
    if bytes(data) == whole:
        assert about.duration_s == pytest.approx(seconds, abs=0.15) and about.audible
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        assert np.argmax(spectrum) * found_rate / len(sound) == pytest.approx(frequency, abs=2 / seconds + 5)
    elif not flipped:
        assert about.duration_s <= seconds + 0.15


KINDS = {
    "memory": Kind(_little_memory, (FILES,), few=2, many=60),
    "container": Kind(
        _container,
        (
            st.sampled_from(sorted(AV)),
            st.sampled_from([16_000, 22_050, 44_100, 48_000]),
            st.floats(0.3, 2.0),
            st.sampled_from(["mono", "stereo"]),
            st.floats(300, 3000),
            st.one_of(st.just(1.0), st.floats(0, 1)),
            st.one_of(st.just([]), st.lists(st.floats(0, 1), max_size=4)),
        ),
        few=25,
        many=1500,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_some_files(kind):
    KINDS[kind].some()


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_many_files(request, kind):
    KINDS[kind].lots(request.config.getoption("seed"))
