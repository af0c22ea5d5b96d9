"""What the bytes of a sound file hold behind the sound at which decoders end, and what they are where these fail."""

import io
import re
from pathlib import PurePosixPath
from shlex import quote

from cross_modal_kd.modalities.files import Content, opened
from cross_modal_kd.modalities.speech.chunks import JOINED, behind_samples
from cross_modal_kd.modalities.speech.mpeg import frames_behind

Stream = io.BufferedReader | io.BytesIO

_BLOCK = 2**22
_STREAMINFO = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_BEGINNING_OF_STREAM = re.compile(rb"OggS\x00[\x02\x06]\x00{8}")
_LONGEST = 16  # bytes of a mark
_PAGE, _PAGE_HEADER, _SEGMENTS, _BEGINS = b"OggS", 27, 255, 2
_KINDS = (
    ("MP3", ".mp3", re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")),
    ("AAC", ".aac", re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")),
    ("WAV", ".wav", re.compile(rb"(RIFF|RIFX|RF64).{4}WAVE", re.DOTALL)),
    ("AIFF", ".aiff", re.compile(rb"FORM.{4}AIF[FC]", re.DOTALL)),
    ("FLAC", ".flac", re.compile(rb"fLaC")),
    ("Ogg", ".ogg", re.compile(rb"OggS")),
    ("MPEG-4", ".m4a", re.compile(rb".{4}ftyp", re.DOTALL)),
    ("WebM", ".webm", re.compile(rb"\x1aE\xdf\xa3")),
)
_AS_WELL = {".mp4": ".m4a", ".aif": ".aiff", ".oga": ".ogg", ".opus": ".ogg"}
_SEVERAL = "several sounds, one behind the other, of which decoders hear the first"


def left_behind(data: Content, name: str) -> str | None:
    """Why decoders end before the sound of a file does, though it was not cut.

    Its bytes are looked through, a block of 4 MB at a time; nothing is decoded.

    Args:
        data: the file or its bytes.
        name: of the sample, for the command that helps.

    Returns:
        In words, with what to do: another sound follows behind the first, or the header of a WAV or an AIFF counts
        fewer samples than there are. None of all other files.
    """
    file = quote(PurePosixPath(name).name)
    with opened(data) as stream:
        if (found := behind_samples(stream)) is not None:
            kind, stated, behind = found
            if kind == JOINED:
                return (
                    f"{_SEVERAL}: join them as sounds, not as bytes (sox a.wav b.wav new.wav), or make a file of each"
                )
            return (
                f"its header states {stated:.1f} s, and {behind:.1f} s more lie behind it: whoever wrote it was "
                f"stopped before it was finished; write it anew (sox --ignore-length {file} new.wav)"
            )
        if _goes_on(stream):
            return f"{_SEVERAL}: make one sound of them (ffmpeg -i {file} new.wav), or a file of each"
        if _films(stream) > 1:
            return f"{_SEVERAL}: make one sound of them (MP4Box -cat does), or a file of each"
    return None


def other_kind(data: Content, name: str) -> str | None:
    """What a file is, where its name says another thing.

    Args:
        data: the file or its bytes.
        name: of the sample, by whose ending a decoder was chosen.

    Returns:
        In words, with what to do; None where it begins as no sound does, or as its ending says.
    """
    with opened(data) as stream:
        begin = stream.read(_LONGEST)
    ending = PurePosixPath(name).suffix.lower()
    for kind, own, beginning in _KINDS:
        if beginning.match(begin) and _AS_WELL.get(ending, ending) != own:
            return f"its contents are {kind}: let its name end in {own}"
    return None


def _goes_on(stream: Stream) -> bool:
    """Whether another sound follows in a FLAC, an Ogg or an MP3."""
    stream.seek(0)
    begin = stream.read(4)
    if begin == b"fLaC":
        return _stands_behind(stream, _STREAMINFO, 4)
    if begin == _PAGE:
        return _stands_behind(stream, _BEGINNING_OF_STREAM, _first_pages(stream))
    return frames_behind(stream)


def _stands_behind(stream: Stream, mark: re.Pattern[bytes], place: int) -> bool:
    """Whether a mark stands anywhere behind a place."""
    stream.seek(place)
    kept = b""
    while block := stream.read(_BLOCK):
        if mark.search(kept + block):
            return True
        kept = block[-_LONGEST:]
    return False


def _first_pages(stream: Stream) -> int:
    """Where those pages of an Ogg end that begin its streams: it may have several side by side."""
    place = 0
    while True:
        stream.seek(place)
        page = stream.read(_PAGE_HEADER + _SEGMENTS)
        if len(page) < _PAGE_HEADER or not page.startswith(_PAGE) or not page[5] & _BEGINS:
            return place
        segments = page[_PAGE_HEADER - 1]
        place += _PAGE_HEADER + segments + sum(page[_PAGE_HEADER : _PAGE_HEADER + segments])


def _films(stream: Stream) -> int:
    """How often the outermost boxes of an MPEG-4 file say that one begins."""
    place, found = 0, 0
    while True:
        stream.seek(place)
        head = stream.read(16)
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if place == 0 and head[4:8] != b"ftyp":
            return 0
        found += head[4:8] == b"ftyp"
        if size < 8:  # the last, up to the end, or none
            return found
        place += size
