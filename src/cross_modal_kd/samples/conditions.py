"""Conditions of samples (gender, genre, session): further columns of their table, where a source has some.

A column each, ``condition_<name>``, that stands there only where a source gives it. Nothing is trained by them; errors
are also counted within each.
"""

import re
from collections.abc import Iterable

import pandas as pd

from cross_modal_kd.samples.names import in_one_form

CONDITION = "condition_"
PATTERN = rf"^{CONDITION}[a-z][a-z0-9_]*$"
SESSION = "session"
"""The condition whose values are of one label each: errors are counted in the same one and across two of them."""


def conditions_of(columns: Iterable[object]) -> list[str]:
    """Names of the conditions that a table has.

    Args:
        columns: its names.

    Returns:
        Without what stands before them, sorted.

    >>> conditions_of(["sample_id", "condition_genre"])
    ['genre']
    """
    return sorted(str(name).removeprefix(CONDITION) for name in columns if re.match(PATTERN, str(name)))


def as_condition(values: pd.Series) -> pd.Series:
    """Values in one form: what metrics may be named by.

    Args:
        values: (n,) texts; null where nothing is known.

    Returns:
        (n,) texts of letters, digits, blanks, ``-`` and ``_``, which stands for all others; null for blank ones.

    >>> as_condition(pd.Series([" New Zealand", "a/b", ""], dtype="str")).fillna("?").tolist()
    ['New Zealand', 'a_b', '?']
    """
    found = in_one_form(values).str.strip().str.replace(r"[^\w \-]", "_", regex=True)
    return found.mask(found == "")
