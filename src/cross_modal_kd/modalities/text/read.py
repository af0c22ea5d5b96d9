"""Clean one text."""

import unicodedata

from cross_modal_kd.samples import UnreadableSampleError

_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def read_text(text: str, name: str) -> str:
    """The text with runs of white space made one blank.

    Args:
        text: any.
        name: of the sample, for errors.

    Returns:
        The cleaned text, not empty.

    Raises:
        UnreadableSampleError: the text is blank, or of signs that cannot be seen (of no width, of control).
    """
    cleaned = " ".join(text.split())
    if all(unicodedata.category(sign) in _UNSEEN for sign in cleaned):
        raise UnreadableSampleError(name, "the text is blank" + (": its signs cannot be seen" if cleaned else ""))
    return cleaned
