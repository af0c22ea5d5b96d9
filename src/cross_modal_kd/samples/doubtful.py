"""Labels and texts that may not be meant as they are, and labels of one sample: told of, and taken as they are."""

from collections.abc import Iterator

import pandas as pd

from cross_modal_kd.samples.errors import first_few
from cross_modal_kd.samples.names import alike
from cross_modal_kd.storage import how_many

_NAMES = "nan NaN NAN None null NULL NA N/A n/a #N/A <NA> NaT #VALUE! #REF! undefined"
NOTHING = frozenset(_NAMES.split())
"""What programs write in place of a blank cell, in their capitals: "na" and "none" are words too."""


def doubts_of(samples: pd.DataFrame) -> list[str]:
    """What of the labels and texts a person should look at.

    Args:
        samples: rows with ``label`` and ``text``, and, where they have them, ``group`` and ``path``.

    Returns:
        A sentence each: labels, and groups, that may be meant as one, labels and texts that may be meant as none.
    """
    own = samples["group"].dropna() if "group" in samples else samples["label"][:0]
    named = own[~own.isin(samples["path"])] if "path" in samples else own  # a file binds itself
    said = [*_near(samples["label"], "labels"), *_near(named, "groups")]
    for column, noun in (("label", "sample has the label"), ("text", "sample has the text")):
        values = samples[column].dropna()
        counts = values[values.str.strip().isin(NOTHING)].value_counts()
        if len(counts):
            names = ", ".join(map(repr, counts.index[:3]))
            several = noun.replace("sample has", "samples have")
            said.append(
                f"{how_many(int(counts.sum()), noun, several)} {names}, which programs write where there is none, and "
                "which counts as any other here; leave it blank where none is meant"
            )
    return said


def _near(names: pd.Series, plural: str) -> Iterator[str]:
    """A sentence where some names may be meant as one."""
    if near := alike(names.dropna().unique()):
        found = "; ".join(" and ".join(map(repr, together)) for together in near[:3])
        more = f" and {len(near) - 3} more" if len(near) > 3 else ""
        yield (
            f"{plural} that differ in capitals, blanks, signs that are not seen or zeros alone count as different "
            f"ones: {found}{more}; give those one name that are meant as one"
        )


def singles_of(samples: pd.DataFrame, modality: str) -> str:
    """Which labels have one sample alone.

    Args:
        samples: rows with ``label`` and ``modality``.
        modality: the student's, of which one shows nothing of how a label varies.

    Returns:
        A sentence that names the first; empty where there is none.
    """
    sizes = samples.loc[samples["modality"] == modality, "label"].value_counts()
    ones = sizes.index[sizes == 1]
    if not len(ones):
        return ""
    return (
        f"{how_many(len(ones), 'label has', 'labels have')} one {modality} sample alone: {first_few(ones)}; give "
        f"{'it' if len(ones) == 1 else 'them'} more where you can"
    )
