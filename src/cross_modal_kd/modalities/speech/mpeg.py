"""MP3: the head that states a length, and whether the frames of another sound lie behind it."""

import io
from dataclasses import dataclass

_HEADS = (b"Xing", b"Info", b"VBRI")
_ID3, _ID3V1, _ID3V1_LENGTH, _ID3_HEADER = b"ID3", b"TAG", 128, 10
_WINDOW = 4096
_TAGS = 2**20  # bytes in which the next sound begins, behind the tags of the first and its own
_FRAMES_IN_A_ROW, _HEADER = 3, 4  # so many are no chance
_LEAST = 0.01
_OF_ONE, _OF_TWO, _OF_TWO_AND_A_HALF = 3, 2, 0  # MPEG's versions, as a frame numbers them
_HERTZ = (44100, 48000, 32000)
_PARTS = {_OF_ONE: 1, _OF_TWO: 2, _OF_TWO_AND_A_HALF: 4}
_KBITS_OF_ONE = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

Stream = io.BufferedReader | io.BytesIO


@dataclass(frozen=True)
class Head:
    """The frame at which an MP3 begins, where that states the length.

    Attributes:
        start: byte at which the frame begins.
        stated: bytes from there on.
        stated_at: byte at which that number stands.
    """

    start: int
    stated: int
    stated_at: int


class Counted(io.RawIOBase):
    """An MP3 whose head states as many bytes as there are: where it does not, libmpg123 prints a line without a name.

    It makes nothing else of that number, so that what is decoded is the same.

    Args:
        stream: the file.
        head: of it.
        count: bytes that there are.
    """

    def __init__(self, stream: Stream, head: Head, count: int) -> None:
        self._stream, self._at, self._number = stream, head.stated_at, count.to_bytes(4, "big")

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # soundfile's, into which numbers fit
        """The file's next bytes, and the number that there should be where it stands.

        Args:
            buffer: takes them.

        Returns:
            How many there were, 0 at the end.
        """
        start = self._stream.tell()
        count = self._stream.readinto(buffer)
        for place, byte in enumerate(self._number, self._at - start):
            if 0 <= place < count:
                buffer[place : place + 1] = bytes([byte])
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, as ``io.IOBase.seek`` does.

        Args:
            offset: in bytes.
            whence: from where they are counted.

        Returns:
            The place, in bytes from the start.
        """
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """The place, in bytes from the start."""
        return self._stream.tell()

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True


def counted(stream: Stream) -> Stream | Counted:
    """A file as libsndfile should be given it, so that nothing is printed.

    Args:
        stream: of any file, at its start.

    Returns:
        At its start: the stream itself, unless it is an MP3 that states another number of bytes than there are.
    """
    head = head_of(stream)
    there = 0 if head is None else _sound_end(stream) - head.start
    stream.seek(0)
    return stream if head is None or there in (head.stated, 0) else Counted(stream, head, min(there, 2**32 - 1))


def head_of(stream: Stream) -> Head | None:
    """The head of an MP3.

    Args:
        stream: of any file; its position is not kept.

    Returns:
        None of what is no MP3, and of one that does not state how many bytes it has.
    """
    stream.seek(0)
    begin, start = stream.read(_ID3_HEADER), 0
    if begin.startswith(_ID3):
        start = _ID3_HEADER + sum(byte << 7 * place for place, byte in enumerate(reversed(begin[6:])))
    elif _frame_bytes(begin) is None:
        return None
    stream.seek(start)
    window = stream.read(_WINDOW)
    frame = next((place for place in range(len(window)) if _frame_bytes(window[place : place + _HEADER])), None)
    found = [place for mark in _HEADS if (place := window.find(mark)) >= 0]
    if frame is None or not found:
        return None
    at = min(found)
    flags = int.from_bytes(window[at + 4 : at + 8], "big")
    if window.startswith(b"VBRI", at):
        at += 10
    elif flags & 2:
        at += 12 if flags & 1 else 8
    else:
        return None
    return Head(start + frame, int.from_bytes(window[at : at + 4], "big"), start + at)


def frames_behind(stream: Stream) -> bool:
    """Whether frames lie behind the bytes that the head of an MP3 states: those of another sound.

    Args:
        stream: of any file; its position is not kept.

    Returns:
        False where there is no head, and of tags behind the sound.
    """
    head = head_of(stream)
    if head is None or not head.stated or _sound_end(stream) - head.start < (1 + _LEAST) * head.stated:
        return False
    stream.seek(head.start + head.stated)
    rest = stream.read(_TAGS)
    place = rest.find(b"\xff")
    while place >= 0:
        if _goes_on(rest, place):
            return True
        place = rest.find(b"\xff", place + 1)
    return False


def _sound_end(stream: Stream) -> int:
    """Where a file ends, but for a tag of the first kind."""
    length = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, length - _ID3V1_LENGTH))
    return length - _ID3V1_LENGTH if stream.read(len(_ID3V1)) == _ID3V1 else length


def _goes_on(rest: bytes, place: int) -> bool:
    """Whether frames stand one behind the other from a place on."""
    for _ in range(_FRAMES_IN_A_ROW):
        size = _frame_bytes(rest[place : place + _HEADER])
        if size is None:
            return False
        place += size
    return True


def _frame_bytes(header: bytes) -> int | None:
    """Length of the frame of MPEG's layer III that begins with these bytes; None where they begin none."""
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, kbits, hertz = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in _PARTS or not 0 < kbits < len(_KBITS) or hertz == len(_HERTZ):
        return None
    values, rate = (
        (144_000 * _KBITS_OF_ONE[kbits], 1) if version == _OF_ONE else (72_000 * _KBITS[kbits], _PARTS[version])
    )
    return values * rate // _HERTZ[hertz] + (header[2] >> 1 & 1)
