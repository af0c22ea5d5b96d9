"""Files as decoders take them: a path where there is a file, so that no more of it is read than is needed."""

import hashlib
import io
from pathlib import Path

Content = bytes | Path


def opened(content: Content) -> io.BufferedReader | io.BytesIO:
    """A stream of the content, to be closed by who asked for it.

    Args:
        content: of ``Roots.content``.

    Returns:
        At its beginning; it can seek.
    """
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def size_of(content: Content) -> int:
    """How large it is.

    Args:
        content: of ``Roots.content``.

    Returns:
        Bytes.
    """
    return content.stat().st_size if isinstance(content, Path) else len(content)


def digest(content: Content) -> str:
    """Its SHA-256, of which no more than a block is in memory.

    Args:
        content: of ``Roots.content``.

    Returns:
        64 hexadecimal digits.
    """
    with opened(content) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
