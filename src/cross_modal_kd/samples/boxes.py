"""A part of a picture as a path: the file, and behind it the box that is cut out when it is read."""

import re
from typing import NamedTuple

SIGN = "#xywh="
NUMBER = r"(\d+(?:\.\d+)?)"
BOX = re.compile(re.escape(SIGN) + ",".join([NUMBER] * 4) + r"\Z")


class Box(NamedTuple):
    """A part of a picture, in its pixels: the left upper corner from 0, width and height."""

    x: float
    y: float
    width: float
    height: float


def boxed_path(path: str, box: Box) -> str:
    """Address of a part of a picture, as the column ``path`` of the samples table has it.

    It is written as a media fragment is (W3C, Media Fragments URI 1.0, 2012).

    Args:
        path: of the picture's file, relative to its source's root.
        box: the part.

    Returns:
        The path and the box.

    >>> boxed_path("a.jpg", Box(60.0, 27.0, 325.0, 304.5))
    'a.jpg#xywh=60,27,325,304.5'
    """
    return path + SIGN + ",".join(f"{number:.10g}" for number in box)


def box_of(path: str) -> Box | None:
    """The box behind a path.

    Args:
        path: as the samples table has it.

    Returns:
        The part that is meant; None where it is the whole picture.
    """
    found = BOX.search(path) if SIGN in path else None
    return None if found is None else Box(*map(float, found.groups()))


def without_box(path: str) -> str:
    """The path of the file.

    Args:
        path: as the samples table has it.

    Returns:
        Without the box, if there is one.

    >>> without_box("a.jpg#xywh=60,27,325,304.5")
    'a.jpg'
    """
    return BOX.sub("", path) if SIGN in path else path
