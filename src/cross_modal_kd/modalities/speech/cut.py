"""Sounds that were cut: the length that a file states, where it states one and does not have it guessed."""

import io
import re
from math import inf
from typing import Any

# libsndfile's log of a header that states more bytes than there are
_STATED = re.compile(r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_NEVER_FILLED_IN = 0x7FFF0000  # bytes: what is recorded into a pipe states this or more
_PAGE, _PAGE_HEADER, _LARGEST_PAGE = b"OggS", 27, 65_307
_WITH_A_LENGTH = ("FLAC", "CAF")
_HEADS_OF_MP3 = (b"Xing", b"Info", b"VBRI")
_ID3, _ID3_HEADER = b"ID3", 10
_LEAST = 0.99


def is_cut(stated_s: float | None, heard_s: float, spare_s: float) -> bool:
    """Whether a sound is shorter than its file states.

    Args:
        stated_s: seconds; None where the file does not say.
        heard_s: seconds up to the end of what could be decoded.
        spare_s: seconds by which encoders and containers of the kind differ.

    Returns:
        True where more than that and more than 1 % is missing.
    """
    return stated_s is not None and stated_s - heard_s > spare_s and heard_s < _LEAST * stated_s


def stated_by_soundfile(file: Any, stream: io.BufferedIOBase) -> float | None:
    """The length that a file of libsndfile's formats states.

    Args:
        file: opened by soundfile.
        stream: the same file; read from its start, its position is not kept.

    Returns:
        Seconds; infinite where it says that it goes on, and not for how long (Ogg); None where it does not say.
    """
    seconds = file.frames / file.samplerate
    if file.format == "OGG":
        return inf if _ends_inside_a_page(stream) else None
    if file.format in _WITH_A_LENGTH or (file.format == "MP3" and _has_a_head(stream)):
        return seconds
    found = [(int(stated), int(there)) for stated, there in _STATED.findall(file.extra_info)]
    longer = [stated / there for stated, there in found if 0 < there < stated < _NEVER_FILLED_IN]
    return seconds * longer[-1] if longer else None


def stated_by_av(container: Any) -> float | None:
    """The length that a container states for its first sound.

    Args:
        container: opened by PyAV.

    Returns:
        Seconds; None of bare AAC, whose length FFmpeg guesses, and where other streams may be longer than the sound.
    """
    if container.format.name == "aac":
        return None
    track = container.streams.audio[0]
    if track.duration is not None:
        return float(track.duration * track.time_base)
    alone = len(container.streams) == 1 and container.duration is not None
    return container.duration / 1_000_000 if alone else None


def _ends_inside_a_page(stream: io.BufferedIOBase) -> bool:
    """Whether the last page of an Ogg stream is not whole, by the lengths of its segments."""
    length = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, length - _LARGEST_PAGE))
    tail = stream.read()
    page = tail[tail.rfind(_PAGE) :] if _PAGE in tail else b""
    if len(page) < _PAGE_HEADER:
        return True
    segments = page[_PAGE_HEADER - 1]
    return len(page) < _PAGE_HEADER + segments + sum(page[_PAGE_HEADER : _PAGE_HEADER + segments])


def _has_a_head(stream: io.BufferedIOBase) -> bool:
    """Whether an MP3 begins with a frame that states its length; without one it is guessed by the first bit rate."""
    stream.seek(0)
    head = stream.read(_ID3_HEADER)
    if head.startswith(_ID3):
        stream.seek(_ID3_HEADER + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:]))))
        head = b""
    frame = head + stream.read(4096)
    return any(mark in frame for mark in _HEADS_OF_MP3)
