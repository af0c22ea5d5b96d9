"""What formats call the splits."""

import pandas as pd

from cross_modal_kd.samples import SPLITS, SamplesError, first_few

SPLIT_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "val", "valid", "validation", "development"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The split of each name, in small letters."""


def as_splits(names: pd.Series, where: str) -> pd.Series:
    """Splits as a table names them.

    Args:
        names: (n,) of dtype str; blank or null for none.
        where: the file and column, for the message.

    Returns:
        (n,) of ``train``, ``dev``, ``test``; null for none.

    Raises:
        SamplesError: another name.
    """
    plain = names.str.strip().str.lower()
    named = plain.fillna("") != ""
    found = plain.map(SPLIT_OF).astype("str")
    wrong = names[named & found.isna()].unique()
    if len(wrong):
        raise SamplesError(
            f"{where}: expected one of {list(SPLITS)} or another name of these ({', '.join(sorted(SPLIT_OF))}), found "
            f"{first_few(wrong)}; correct them, or take the column out, and the split is drawn"
        )
    return found
