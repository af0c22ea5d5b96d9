"""A table of a page, and how a cell of it is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cross_modal_kd.studies.results.numbers import number, with_interval


@dataclass(frozen=True)
class Table:
    """A table as it is printed.

    Attributes:
        caption: over it.
        header: of the columns.
        rows: of printed cells, as many as the header has.
    """

    caption: str
    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """The caption in bold, and the table."""
        rule = ["---" if column == 0 else "---:" for column in range(len(self.header))]
        lines = [_line(cells) for cells in (self.header, rule, *self.rows)]
        return "\n".join([f"**{self.caption}**", "", *lines])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def cell(row: Mapping[str, Any], name: str) -> str:
    """A column of a row, with its interval where its ends are there.

    Args:
        row: values by column; ``<name>_low`` and ``<name>_high`` are the ends.
        name: of the column.

    Returns:
        The printed number; a dash where the row does not have it.
    """
    if f"{name}_low" in row:
        return with_interval(name, row.get(name), row[f"{name}_low"], row[f"{name}_high"])
    return number(name, row.get(name))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, each as a mapping from column to value.

    Args:
        frame: a table.

    Returns:
        In the table's order; columns by their names as text.
    """
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
