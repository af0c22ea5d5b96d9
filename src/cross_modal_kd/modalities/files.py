"""Files as decoders take them: a path where there is a file, so that no more of it is read than is needed."""

import hashlib
import io
from pathlib import Path

from cross_modal_kd.samples import Roots, SamplesError

Content = bytes | Path


def located(roots: Roots, source: str, path: str) -> Content:
    """The file of a sample, or the bytes of a member of a container.

    Args:
        roots: where the files lie.
        source: of the row.
        path: of the row.

    Returns:
        A path that exists; the bytes where the sample has no file of its own.

    Raises:
        SamplesError: the file or member is missing, or the path leads outside the source's root.
    """
    try:
        return roots.file(source, path)
    except SamplesError:
        return roots.bytes(source, path)


def opened(content: Content) -> io.BufferedReader | io.BytesIO:
    """A stream of the content, to be closed by who asked for it.

    Args:
        content: of ``located``.

    Returns:
        At its beginning; it can seek.
    """
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def size_of(content: Content) -> int:
    """How large it is.

    Args:
        content: of ``located``.

    Returns:
        Bytes.
    """
    return content.stat().st_size if isinstance(content, Path) else len(content)


def digest(content: Content) -> str:
    """Its SHA-256, of which no more than a block is in memory.

    Args:
        content: of ``located``.

    Returns:
        64 hexadecimal digits.
    """
    with opened(content) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
