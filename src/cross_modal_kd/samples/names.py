"""Names of files, labels and clusters: any that a file system allows, compared whatever their form, shown safely."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


_NUMBER = re.compile(r"([-+]?)0*(\d+)(?:[.,](\d*?)0*)?")


def leads_outside(path: str) -> bool:
    """Whether a path is absolute or climbs with ``..``, so that it must not be followed.

    Args:
        path: As a source gives it. A backslash parts folders where this machine says so, but ``..`` beside one is
            refused everywhere.

    Returns:
        False for a path that stays below the folder that it starts in.

    >>> [leads_outside(path) for path in ("a..b/C#.png", "../b.png", "/etc/hostname")]
    [False, True, True]
    """
    drive = PureWindowsPath(path).anchor if os.name == "nt" else ""
    return bool(drive) or PurePosixPath(path).is_absolute() or ".." in re.split(r"[/\\]", path)


def lead_outside(paths: "pd.Series") -> "pd.Series":
    """``leads_outside`` of a column of paths.

    Args:
        paths: (n,) of dtype str, none of them null.

    Returns:
        (n,) truth values.
    """
    if os.name == "nt":
        return paths.map(leads_outside).astype(bool)
    return paths.str.contains(r"^/|(?:^|[/\\])\.\.(?:[/\\]|$)", regex=True).astype(bool)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that people do not see.

    Args:
        name: Its own, without the folders above it.

    Returns:
        Whether it begins with a dot, or is what a Mac adds to archives.

    >>> [is_hidden(name) for name in (".DS_Store", "._1.jpg", "__MACOSX", "1.jpg")]
    [True, True, True, False]
    """
    return name.startswith(".") or name == "__MACOSX"


def one_form(name: str) -> str:
    """A name in the one form of Unicode (NFC) in which names are compared.

    Args:
        name: In any form: a Mac writes an accented letter as two characters, most others as one.

    Returns:
        The same name, the same for all of its forms.

    >>> one_form("caf" + "e" + chr(0x301)) == "caf" + chr(0xE9)
    True
    """
    return unicodedata.normalize("NFC", name)


def in_one_form(names: "pd.Series") -> "pd.Series":
    """``one_form`` of a column of names; those in ASCII, which have one form alone, are not looked at.

    Args:
        names: (n,) of dtype str, null for none.

    Returns:
        (n,) of the same dtype and index.
    """
    odd = names.notna() & ~names.str.isascii()
    return names.where(~odd, names[odd].map(one_form).astype(names.dtype)) if odd.any() else names


def alike(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in capitals, blanks, signs that are not seen or zeros alone, and so may be meant as one.

    Args:
        names: of labels, say.

    Returns:
        Those that are alike, together, each once and sorted; names that no other is like are left out.

    >>> alike(["dog", "cat", "Dog ", "dog", "1", "01", "1.0", "10"])
    [['01', '1', '1.0'], ['Dog ', 'dog']]
    """
    found: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        found.setdefault(_bare(name), []).append(name)
    return [together for together in found.values() if len(together) > 1]


def seen_of(text: str) -> str:
    """What is seen of a text.

    Args:
        text: any.

    Returns:
        It in one form, without signs of no width, its runs of white space one blank each.

    >>> seen_of("a" + chr(0x200B) + chr(0xA0) + " tree")
    'a tree'
    """
    if not text.isascii():
        plain = unicodedata.normalize("NFC", text)
        text = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    return " ".join(text.split())


def _bare(name: str) -> str:
    """A name without what may be no part of it; a number without zeros that say nothing."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = seen_of(plain)
    number = _NUMBER.fullmatch(plain)
    return plain if number is None else f"{number[1]}{number[2]}" + (f".{part}" if (part := number[3] or "") else "")


def is_utf8(name: str) -> bool:
    """Whether a name of the file system is text that a table can hold.

    Args:
        name: As ``os.listdir`` gives it: bytes that are not UTF-8 are lone surrogates.

    Returns:
        False for a name with such bytes.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    r"""A name that every table can hold: a byte that is no UTF-8 is written as a backslash, ``x`` and two digits.

    Args:
        name: As ``os.listdir`` gives it.

    Returns:
        The same text where it is UTF-8.

    >>> print(shown("caf" + chr(0xDCE9) + ".png"))
    caf\xe9.png
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name.encode("utf-8", "backslashreplace").decode()
