"""Texts that others have saved, in the encoding that their first bytes say; and names of files, in UTF-8."""

import codecs
import os
import sys
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


def misread(name: str) -> str:
    """Why a name of a file is not what the disk has, under a Python that takes such names for another encoding.

    Without UTF-8 mode and without a locale in UTF-8 it reads bytes that are UTF-8 as ASCII or Latin-1, say: no table
    could hold such a name, or another one than the file's.

    Args:
        name: as Python has it: of a file, or typed.

    Returns:
        A sentence with what to do; empty where the name is right.
    """
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8" or name.isascii():
        return ""
    try:
        name = os.fsencode(name).decode("utf-8")
    except UnicodeDecodeError:  # it is not UTF-8 on the disk either
        return ""
    except UnicodeEncodeError:  # it comes from a file in UTF-8, and stands for no file here
        pass
    return (
        f"this Python takes names of files and what is typed for {encoding}, and {name!r} is UTF-8: set PYTHONUTF8=1 "
        "(`export PYTHONUTF8=1`), and type the same command again"
    )
