"""WAV and AIFF: what lies behind the samples that their header states."""

import io
from typing import Literal

from cross_modal_kd.modalities.speech.cut import is_cut

Stream = io.BufferedReader | io.BytesIO

_ORDERS: dict[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"RF64": "little", b"RIFX": "big", b"FORM": "big"}
_FORM, _CHUNK = 12, 8
_FORMAT, _COMMON = 12, 18  # bytes of a WAV's and of an AIFF's, that say how many bytes are a second
_SAMPLES = (b"data", b"SSND")
_TAGS = (b"ID3", b"TAG", b"APE")
_NEVER_FILLED_IN = 0x7FFF0000  # bytes: what is recorded into a pipe states this or more
_LARGE, _IN_DS64 = 16, 0xFFFFFFFF  # an RF64 states in a chunk of its own how many bytes of samples there are
_SPARE_S = 0.05
_BLOCK = 2**20
JOINED, UNFINISHED = "joined", "unfinished"


def behind_samples(stream: Stream) -> tuple[str, float, float] | None:
    """What lies behind the samples that the header of a WAV or an AIFF states, where that is more sound.

    Args:
        stream: of any file; its position is not kept.

    Returns:
        ``JOINED`` where another sound follows, ``UNFINISHED`` where bytes follow that are no chunk, no tag and not all
        zero: samples that the header does not count; with the seconds that it states, and those that follow. None of
        all else.
    """
    stream.seek(0)
    order = _ORDERS.get(stream.read(4))
    length = stream.seek(0, io.SEEK_END)
    place, rate, large = _FORM, 0, _NEVER_FILLED_IN
    while order is not None and place + _CHUNK <= length:
        kind, size = _chunk(stream, place, order)
        if kind == b"fmt ":
            rate = int.from_bytes(stream.read(_FORMAT)[8:], order)
        elif kind == b"COMM":
            rate = _bytes_a_second(stream.read(_COMMON))
        elif kind == b"ds64":
            large = int.from_bytes(stream.read(_LARGE)[8:], order)
        elif kind in _SAMPLES:
            size = large if size == _IN_DS64 else size
            reads_on = _NEVER_FILLED_IN <= size <= _IN_DS64 or (kind == b"SSND" and not size)
            if reads_on or not rate:
                return None
            return _of_the_rest(stream, place + _CHUNK, size, length, order, rate)
        place += _CHUNK + size + size % 2
    return None


def _of_the_rest(
    stream: Stream, start: int, size: int, length: int, order: Literal["little", "big"], rate: int
) -> tuple[str, float, float] | None:
    """Of samples from ``start`` on, ``size`` bytes as stated; some writers leave out the padding of odd ones."""
    ends = [_behind_chunks(stream, start + size + padding, length, order) for padding in sorted({0, size % 2})]
    end = max(ends)
    stream.seek(end)
    begin = stream.read(4)
    stated, behind = size / rate, (length - end) / rate
    if begin in _ORDERS:
        return JOINED, stated, behind
    if begin.startswith(_TAGS) or not is_cut(stated + behind, stated, _SPARE_S) or _all_zero(stream, end):
        return None
    if any(_is_named(stream, start + size + padding) for padding in {0, size % 2}):
        return None
    return UNFINISHED, stated, behind


def _behind_chunks(stream: Stream, place: int, length: int, order: Literal["little", "big"]) -> int:
    """Where those chunks end that lie from a place on."""
    while place + _CHUNK <= length:
        kind, size = _chunk(stream, place, order)
        if kind in _ORDERS or not all(0x20 <= byte < 0x7F for byte in kind) or place + _CHUNK + size > length:
            return place
        place += _CHUNK + size + size % 2
    return min(place, length)


def _chunk(stream: Stream, place: int, order: Literal["little", "big"]) -> tuple[bytes, int]:
    """Name and bytes of the chunk at a place; the stream is at what it holds then."""
    stream.seek(place)
    head = stream.read(_CHUNK)
    return head[:4], int.from_bytes(head[4:], order)


def _is_named(stream: Stream, place: int) -> bool:
    """Whether a name stands at a place, behind zeros if there are some: of a chunk, though its size may be wrong."""
    stream.seek(place)
    name = stream.read(_BLOCK).lstrip(b"\0")[:4]
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name.removesuffix(b"\0"))


def _all_zero(stream: Stream, place: int) -> bool:
    stream.seek(place)
    while block := stream.read(_BLOCK):
        if any(block):
            return False
    return True


def _bytes_a_second(common: bytes) -> int:
    """Of an AIFF's common chunk, whose rate is a floating-point number of 80 bits."""
    if len(common) < _COMMON:
        return 0
    channels, bits = int.from_bytes(common[:2], "big"), int.from_bytes(common[6:8], "big")
    exponent, mantissa = int.from_bytes(common[8:10], "big") & 0x7FFF, int.from_bytes(common[10:18], "big")
    return round(mantissa * 2.0 ** min(exponent - 16383 - 63, 0)) * channels * -(-bits // 8)
