"""Numbers as they are typeset."""

import re


def typeset(text: str) -> str:
    """The text with a true minus sign, and no sign before a zero.

    Args:
        text: a formatted number, with an ASCII sign or none.

    Returns:
        The text with every ``-`` as U+2212, and without the sign where the number is zero to all its digits.

    >>> typeset("-0.7"), typeset("+0.0")
    ('−0.7', '0.0')
    """
    return re.sub(r"^[+-](?=0(\.0+)?$)", "", text).replace("-", "\N{MINUS SIGN}")
