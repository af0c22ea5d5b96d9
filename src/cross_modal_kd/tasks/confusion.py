"""What a student takes for what, as a table that a page can show."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_LABELS = 12


@dataclass(frozen=True)
class Cell:
    """text: what stands in it. shade: how strongly it is coloured, in [0, 1]."""

    text: str
    shade: float


@dataclass(frozen=True)
class Confusion:
    """Labels against labels.

    heading, explains: over the tables, and how they are to be read. labels: of the rows, and of the columns in the same
    order. rest: what a last column is of, which is of no label; empty where there is none. tables: by arm, a line a
    row. remarks: by arm, a sentence.
    """

    heading: str
    explains: str
    labels: list[str]
    rest: str
    tables: Mapping[str, list[list[Cell]]]
    remarks: Mapping[str, str]
