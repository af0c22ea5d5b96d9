"""Read the small tables that come with raw files."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from cross_modal_kd.samples.errors import SamplesError, first_few
from cross_modal_kd.storage import decoded

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SEPARATOR = re.compile(r"sep=.(?=[\r\n])")
"""A first line by which Excel is told the delimiter."""


def read_csv(file: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A CSV file as text, its delimiter found out: the one of ``DELIMITERS`` with which the first line has the columns.

    Args:
        file: in UTF-8, with or without a byte order mark, or in UTF-16 with one, as Excel's "Unicode text". Lines
            whose cells are all blank are passed over, and so is Excel's ``sep=;`` above the header. Where every line as
            a whole stands in quotes, these are taken off.
        columns: that it must have; others may stand beside them, in any order.

    Returns:
        One row a line, numbered (the index) as the lines of the file are; blank cells are ``""``. Column names have no
        blanks around them; columns without a name are left out.

    Raises:
        SamplesError: the file is missing, in another encoding, has no rows or lacks a column; or a line has another
            number of fields than the first, or quotes that do not close: the line is named.
    """
    if not file.is_file():
        found = "there is a folder of that name" if file.is_dir() else "the file is missing"
        raise SamplesError(f"{file}: {found}; restore it or correct the source's root")
    text, columns = SEPARATOR.sub("", _decoded(file), count=1), list(columns)
    if not text.strip():
        raise SamplesError(f"{file}: not a readable CSV file: it is empty; restore it, or take it away")
    delimiter = _delimiter(text, columns)
    if len(_header(text, delimiter)) == 1 < len(columns):
        text = _unwrapped(text)
        delimiter = _delimiter(text, columns)
    lines = _lines(file, text, delimiter)
    _, header = next(lines, (1, []))
    names = [name.strip() for name in header]
    require_columns(file, names, columns)
    rows = dict(lines)
    _check_fields(file, names, rows, delimiter)
    if not rows:
        raise SamplesError(f"{file}: the table has no rows")
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=names, dtype="str")
    return table.loc[:, [bool(name) for name in names]]


def require_columns(file: Path, found: Iterable[str], columns: Iterable[str]) -> None:
    """Make sure that a table has its columns.

    Args:
        file: of the table.
        found: names of the columns that it has.
        columns: those that it must have.

    Raises:
        SamplesError: naming the columns that are missing, or that stand there twice.
    """
    found = list(found)
    missing = [column for column in columns if column not in found]
    if missing:
        raise SamplesError(
            f"{file}: expected the column(s) {first_few(missing)}, found {found}; give the file those columns, or "
            "correct their names in it"
        )
    repeated = sorted({name for name in found if name and found.count(name) > 1})
    if repeated:
        raise SamplesError(f"{file}: the column(s) {first_few(repeated)} stand there more than once; each may be once")


def _decoded(file: Path) -> str:
    try:
        content = file.read_bytes()
        text = decoded(content)
    except OSError as error:
        raise SamplesError(
            f"{file}: the file cannot be read ({type(error).__name__}); see to its permissions"
        ) from error
    except UnicodeDecodeError as error:
        line, byte = content[: error.start].count(b"\n") + 1, content[error.start]
        raise SamplesError(
            f"{file}, line {line}: not a readable CSV file in {error.encoding.upper()} (byte 0x{byte:02x}); save the "
            "table in UTF-8"
        ) from error
    if "\0" in text:
        raise SamplesError(
            f"{file}: expected a table in UTF-8, found zero bytes: UTF-16 without its byte order mark, or no text at "
            "all; save the table in UTF-8"
        )
    return text


def _delimiter(text: str, columns: list[str]) -> str:
    """The first that gives the first line the most of the columns, then the most fields."""

    def fit(delimiter: str) -> tuple[int, int]:
        header = _header(text, delimiter)
        return len({name.strip() for name in header} & set(columns)), len(header)

    return max(DELIMITERS, key=fit)


def _header(text: str, delimiter: str) -> list[str]:
    return next(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), [])


def _unwrapped(text: str) -> str:
    """The text without the quotes around each of its lines, which some programs put there; as it is without them."""
    lines = [line.strip() for line in text.splitlines()]
    whole = all(len(line) > 1 and line[0] == line[-1] == '"' for line in lines if line)
    return "\n".join(line[1:-1] for line in lines) if whole else text


def _lines(file: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the line that it starts in, cells) of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise SamplesError(
            f'{file}, line {start}: not a readable CSV file in UTF-8 ({error}); a text in "quotes" ends with a quote, '
            'and a quote inside it is written twice ("")'
        ) from error


def _check_fields(file: Path, names: list[str], rows: dict[int, list[str]], delimiter: str) -> None:
    wrong = [(line, cells) for line, cells in rows.items() if len(cells) != len(names)]
    if not wrong:
        return
    line, cells = wrong[0]
    sign = DELIMITERS[delimiter][:-1]
    why = f'a {sign} inside a text: put the text in "quotes"' if len(cells) > len(names) else "a cell is missing"
    if len(cells) > len(names) and not any(cell.strip() for cell in cells[len(names) :]):
        why = f"a {sign} at its end: take it out"
    more = f"; {len(wrong)} lines are so" if len(wrong) > 1 else ""
    raise SamplesError(
        f"{file}, line {line}: expected {len(names)} fields between {DELIMITERS[delimiter]} ({', '.join(names)}), "
        f"found {len(cells)}: {why}{more}"
    )
