"""Text files as an exported student takes them, with numpy alone; run_student.py beside it calls ``read``."""

import unicodedata

import numpy as np

UNSEEN = {"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"}  # of control, of no width, marks on nothing, blanks
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs by their names, and blank
POINTS = set(
    ".,:;!?\u2026'\"`/\\\u00a1\u00bf\u00b7\u3001\u3002\u30fb\uff01\uff0c\uff0e\uff1a\uff1b\uff1f"
)  # not % or #, say
PICTURED = "\ufe0f"  # behind a sign that is meant as an emoji


def read(path: str, about: dict) -> np.ndarray:
    """(length,) uint8: a file's words in UTF-8, cleaned, and cut to the bytes that ``about`` says."""
    with open(path, "rb") as stream:  # noqa: PTH123
        return as_bytes(cleaned(decoded(stream.read())), about["length"])


def decoded(content: bytes) -> str:
    """The words of a file in UTF-8, with or without a byte-order mark, or in UTF-16 with one; else a ValueError."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise ValueError(f"not a text in {name} (byte {error.start}): save it as UTF-8") from error
    if "\0" in text:
        raise ValueError(
            "expected a text in UTF-8, found zero bytes: UTF-16 without its byte order mark, or no text at all. Save "
            "it as UTF-8"
        )
    return text


def cleaned(text: str) -> str:
    """The text with runs of white space made one blank; a ValueError where it says nothing."""
    words = " ".join(text.split())
    seen = [sign for sign in words if sign not in FILLERS and unicodedata.category(sign) not in UNSEEN]
    if not seen:
        raise ValueError("the text is blank" + (": its signs cannot be seen" if words else ""))
    if PICTURED not in words and all(is_point(sign) for sign in seen):
        raise ValueError(f"the text is of punctuation alone: {words[:40]!r}")
    return words


def is_point(sign: str) -> bool:
    """Whether a sign parts words, or stands around them: a dash, a bracket, a quotation mark, a full stop."""
    kind = unicodedata.category(sign)
    return sign in POINTS if kind == "Po" else kind.startswith("P")


def as_bytes(text: str, length: int) -> np.ndarray:
    """(length,) uint8: the first bytes of the text in UTF-8, then zeros; a zero of its own is a blank."""
    found = np.frombuffer(text.replace("\0", " ").encode("utf-8", "replace")[:length], dtype=np.uint8)
    return np.pad(found, (0, length - len(found)))
