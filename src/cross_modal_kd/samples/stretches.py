"""Stretches of a recording: an address ``call.wav#t=1.5,4.25`` is what is heard from 1.5 s to 4.25 s."""

import io
import re
from pathlib import Path

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError

CUT = (".wav", ".flac", ".ogg", ".opus", ".mp3")
"""Endings of recordings of which a stretch is read without what lies before it."""
NUMBER = r"(\d+(?:\.\d+)?)"
TIMES = re.compile(rf"t={NUMBER},{NUMBER}?")
OVER = 0.1
"""Seconds by which a list may place an end behind that of the recording, as lists do that round."""


def stretch_path(path: str, start: float, end: float | None) -> str:
    """Address of a stretch, written as a media fragment is (W3C, Media Fragments URI 1.0, 2012).

    Args:
        path: of the recording, relative to its source's root; it ends as one of ``CUT`` does.
        start: in seconds from 0.
        end: in seconds, above ``start``; None is the end of the recording.

    Returns:
        The path and the times.

    >>> stretch_path("a.wav", 0.5, 3), stretch_path("a.wav", 2, None)
    ('a.wav#t=0.5,3', 'a.wav#t=2,')
    """
    return f"{path}#t={start:.10g}," + ("" if end is None else f"{end:.10g}")


def stretch_bytes(file: Path, member: str, source: str) -> bytes:
    """A stretch as a WAV file; nothing else of the recording is decoded, but what its format needs.

    Args:
        file: the recording.
        member: ``t=start,end`` in seconds; without an end, to that of the recording.
        source: of the recording, for errors.

    Returns:
        The bytes of a WAV of the recording's rate and channels: of 16 bits where it has no more, else of floats.

    Raises:
        SamplesError: the member is no such place.
        UnreadableSampleError: the file is no sound, is damaged, or ends before the stretch does.
    """
    times = TIMES.fullmatch(member)
    if times is None or (times[2] and float(times[2]) <= float(times[1])):
        raise SamplesError(
            f"{source}: {file.name}#{member}: expected a stretch, t=start,end in seconds with the start before the end "
            "(t=1.5,4.25); correct the path"
        )
    import soundfile

    name = f"{file.name}#{member}"
    try:
        with soundfile.SoundFile(file) as sound:
            rate, length = sound.samplerate, sound.frames / sound.samplerate
            end = length if not times[2] else float(times[2])
            if float(times[1]) >= length or end > length + OVER:
                raise UnreadableSampleError(name, f"the recording ends at {length:.2f} s, within or before the stretch")
            first, last = round(float(times[1]) * rate), min(round(end * rate), sound.frames)
            sound.seek(first)
            plain = sound.subtype in ("PCM_16", "PCM_S8", "PCM_U8")
            wave = sound.read(last - first, dtype="int16" if plain else "float32")
    except soundfile.SoundFileError as error:
        raise UnreadableSampleError(name, f"not a readable sound ({error}); copy it once more") from error
    written = io.BytesIO()
    soundfile.write(written, wave, rate, subtype="PCM_16" if plain else "FLOAT", format="WAV")
    return written.getvalue()
