"""Frames of a film: an address ``face.mp4#2/5`` is the one in the middle of the second of five equal parts."""

import re
from pathlib import Path
from typing import Any

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError

FILM = ".mp4"
PLACE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


def frame_bytes(file: Path, member: str, source: str) -> bytes:
    """A frame as a portable pixmap; of the film no more is decoded than from the key frame before it.

    Args:
        file: The film, in the format MP4.
        member: ``k/n``: at (k - 1/2)/n of its length, k from 1 to n.
        source: Of the film, for errors.

    Returns:
        The bytes of a PPM file of 8 bits, RGB.

    Raises:
        SamplesError: The member is no such place.
        UnreadableSampleError: The file is no film, has no frame, or is damaged.
    """
    place = PLACE.fullmatch(member)
    if place is None or int(place[1]) > int(place[2]):
        raise SamplesError(
            f"{source}: {file.name}#{member}: expected the place of a frame, k/n with k from 1 to n (2/5 is in the "
            "middle of the second of five parts); correct the path"
        )
    import av

    try:
        with av.open(str(file), format="mp4") as film:  # no other format, so that no file can name others to be opened
            found = _frame(film, int(place[1]), int(place[2]))
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise UnreadableSampleError(
            f"{file.name}#{member}", f"not a readable film ({type(error).__name__}); copy it once more"
        ) from error
    if found is None:
        raise UnreadableSampleError(f"{file.name}#{member}", "the film has no frame; copy it once more")
    pixels = found.to_ndarray(format="rgb24")
    return b"P6 %d %d 255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


def _frame(film: Any, part: int, parts: int) -> Any:
    """The last frame that begins in the middle of the part or before it, else the first; None without any."""
    if not film.streams.video:
        return None
    stream = film.streams.video[0]
    start, length = stream.start_time or 0, stream.duration or 0
    wanted = start + (2 * part - 1) * length // (2 * parts)
    film.seek(wanted, stream=stream)
    found = None
    for frame in film.decode(stream):
        if found is not None and frame.pts is not None and frame.pts > wanted:
            break
        found = frame
    return found
