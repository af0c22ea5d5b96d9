r"""The one way to CSV files and back: what people open in a spreadsheet, and see in a terminal.

A text that a spreadsheet would take for a formula gets an apostrophe before it; bytes that steer a terminal, break a
line or turn the direction of writing become visible (``\x1b``). Numbers stay numbers. Reading gives the texts back as
they were.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cross_modal_kd.storage.lock import write_whole

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1 controls, line and paragraph separators, marks and overrides of direction, a byte order mark, and halves of
# surrogate pairs (bytes of a file's name that are no UTF-8), which no file in UTF-8 can hold.
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_UNSEEN = re.compile(f"[{_CONTROLS}]|" + r"\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})")
_SEEN = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")
# At the start of a cell, or after what is a cell's end where the list separator is a semicolon: = + - @, also in their
# full width, behind spaces, or behind apostrophes that are the text's own.
_FORMULA = re.compile(r"(^|;)(?='*\s*[=+\-@＝＋－＠])")
_ADDRESS = re.compile(r"(?: object)? at 0x[0-9a-fA-F]+")
_ESCAPED = re.compile(r"(^|;)'(?='*\s*[=+\-@＝＋－＠])")


def safe_text(text: str) -> str:
    r"""The text as a cell of a CSV file has it; ``plain_text`` gives it back.

    Args:
        text: Any.

    Returns:
        A text without control characters that no spreadsheet takes for a formula.

    >>> safe_text("=1+1"), safe_text("\x1b[31m"), safe_text("a-b")
    ("'=1+1", '\\x1b[31m', 'a-b')
    """
    return _FORMULA.sub(r"\1'", _UNSEEN.sub(_visible, text))


def visible_text(text: str) -> str:
    r"""The text without what steers a terminal, breaks a line or turns the direction of writing.

    Args:
        text: Any, a file's name say.

    Returns:
        A text on one line, in which each of these characters is written out.

    >>> visible_text("=1\x1b[31m")
    '=1\\x1b[31m'
    """
    return _UNSEEN.sub(_visible, text)


def plain_text(cell: str) -> str:
    """The text that ``safe_text`` made this cell of.

    Args:
        cell: Of a CSV file of this project.

    Returns:
        The text as it was.

    >>> plain_text("'=1+1")
    '=1+1'
    """
    return _SEEN.sub(lambda found: chr(int(found[1] or found[2], 16)), _ESCAPED.sub(r"\1", cell))


def without_addresses(text: str) -> str:
    """A text without addresses in memory, which differ from run to run.

    Args:
        text: Of an error, say.

    Returns:
        The text, its objects by their names alone.

    >>> without_addresses("cannot identify image file <_io.BytesIO object at 0x7f3a5c0>")
    'cannot identify image file <_io.BytesIO>'
    """
    return _ADDRESS.sub("", text)


def csv_text(table: "pd.DataFrame", header: bool = True) -> str:
    """A table without its index as the text of a CSV file.

    Args:
        table: Numbers, truth values and texts; texts, and the names of columns, are written as ``safe_text`` has them,
            any other object as its own text, which is no address in memory.
        header: Begin with the names of the columns; False is for what goes on in a file that has them.

    Returns:
        The text, in lines that end in a newline.
    """
    return _with_texts(table, _cell).to_csv(index=False, header=header, lineterminator="\n")


def write_csv(file: Path, table: "pd.DataFrame") -> None:
    """Write a table in the place of what the file holds; a failure leaves that as it is.

    Args:
        file: Its folder is made where it is missing.
        table: As ``csv_text`` takes it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, csv_text(table))


def read_csv(file: Path, rows: int | None = None) -> "pd.DataFrame":
    """A table of ``write_csv``.

    Args:
        file: Written by it.
        rows: At most so many; None for all.

    Returns:
        The table; a blank cell is missing, and no other: a text NA stays a text.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no CSV file in UTF-8, or was cut off: the last line of a whole one has its end.
    """
    import pandas as pd

    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - 1, 0))
        if stream.read() != b"\n":
            raise ValueError(f"{file} was cut off in its last line: make it again")
    table = pd.read_csv(file, nrows=rows, keep_default_na=False, na_values=[""], float_precision="round_trip")
    return _with_texts(table, lambda cell: plain_text(cell) if isinstance(cell, str) else cell)


def _cell(value: Any) -> Any:
    """What is written of a value: a number, a truth value and a missing one as they are."""
    from pandas.api.types import is_scalar

    if isinstance(value, str):
        return safe_text(value)
    return value if is_scalar(value) else safe_text(without_addresses(str(value)))


def _visible(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _may_hold_texts(column: "pd.Series[Any]") -> bool:
    from pandas import CategoricalDtype
    from pandas.api.types import is_object_dtype, is_string_dtype

    return is_object_dtype(column) or is_string_dtype(column) or isinstance(column.dtype, CategoricalDtype)


def _mapped(column: "pd.Series[Any]", change: Callable[[Any], Any]) -> "pd.Series[Any]":
    """The column with its texts changed, of its dtype where that can hold them (a half of a pair is in none)."""
    import pandas as pd

    values = column.tolist()
    changed = [change(value) for value in values]
    if all(new is old for new, old in zip(changed, values, strict=True)):
        return column
    mapped = pd.Series(changed, index=column.index, dtype=object)
    try:
        return mapped.astype(column.dtype)
    except (UnicodeError, ValueError):
        return mapped


def _with_texts(table: "pd.DataFrame", change: Callable[[Any], Any]) -> "pd.DataFrame":
    """The table with every text changed, those of its columns' names too; a column without texts as it is."""
    changed = table.copy(deep=False)
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if _may_hold_texts(column):
            mapped: Any = _mapped(column, change)
            changed.isetitem(place, mapped)
    changed.columns = [change(name) for name in table.columns]
    return changed
