"""Texts that others have saved, in the encoding that their first bytes say."""

import codecs
from pathlib import Path

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16's, with which it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def encoding_of(content: bytes) -> str:
    """The encoding of a text by its byte order mark: Excel's "Unicode text" is UTF-16 with one.

    Args:
        content: the text, or its first four bytes.

    Returns:
        Python's name of a codec that takes the mark off; ``utf-8-sig`` of a text without one.

    >>> encoding_of("a".encode("utf-16")), encoding_of(b"a")
    ('utf-16', 'utf-8-sig')
    """
    return next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8-sig")


def decoded(content: bytes) -> str:
    """A text without its byte order mark.

    Args:
        content: in UTF-8, or in what its mark says.

    Returns:
        The text.

    Raises:
        UnicodeDecodeError: it is in no such encoding.
    """
    return content.decode(encoding_of(content))


def text_in(file: Path) -> str:
    """``decoded`` of a file.

    Args:
        file: that exists.

    Returns:
        The text, its line ends as one newline each.

    Raises:
        UnicodeDecodeError: it is in no encoding that ``decoded`` knows.
        OSError: it cannot be read.
    """
    return decoded(file.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
