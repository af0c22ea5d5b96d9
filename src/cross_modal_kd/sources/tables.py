"""Read the small tables that come with raw files."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few


def read_csv(file: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A CSV file as text.

    Args:
        file: in UTF-8, with a line of column names.
        columns: those that it must have; it may have more.

    Returns:
        At least one row, all of the file's columns as str, blank cells as ``""``.

    Raises:
        SamplesError: the file is missing or not readable as CSV, lacks a column or has no rows.
    """
    if not file.is_file():
        raise SamplesError(f"{file}: the file is missing; restore it or correct the source's root")
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SamplesError(f"{file}: not a readable CSV file in UTF-8 ({error})") from error
    require_columns(file, table.columns, columns)
    if table.empty:
        raise SamplesError(f"{file}: the table has no rows")
    return table


def require_columns(file: Path, found: Iterable[str], columns: Iterable[str]) -> None:
    """Make sure that a table has what is needed of it.

    Args:
        file: where the table comes from, for the error.
        found: its columns.
        columns: those that it must have.

    Raises:
        SamplesError: naming the columns that it lacks.
    """
    found = list(found)
    missing = [column for column in columns if column not in found]
    if missing:
        raise SamplesError(
            f"{file}: expected the column(s) {first_few(missing)}, found {found}; give the file those columns, or "
            "correct their names in it"
        )
