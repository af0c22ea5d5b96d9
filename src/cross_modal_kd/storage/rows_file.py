"""A table that is written row by row, of any length, as CSV, Parquet or JSON lines."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from cross_modal_kd.storage.csv_file import csv_text

ROWS = 1000


class RowsFile:
    """Rows as they come, of which no more than some hundreds are in memory.

    They are written to ``part``, a file beside the one that was asked for, which takes its place at the end. An error
    or an interruption within ``with`` leaves the rows so far in ``part``, and the old file as it is.

    Args:
        file: its ending says the format, ``.csv`` (safe to open in a spreadsheet), ``.parquet`` or ``.jsonl``.
        columns: the types by name: ``str``, ``float``, ``int`` or ``bool``; every value may be None.

    Raises:
        ValueError: another ending.
    """

    def __init__(self, file: Path, columns: Mapping[str, type]) -> None:
        self.check(file)
        self.file, self.part = file, file.with_name(f"{file.name}.part")
        self._columns, self._rows = dict(columns), list[Mapping[str, Any]]()
        self._writer: Any = None
        self._written = False
        self._made: list[Path] = []  # folders that were not there before

    @staticmethod
    def check(file: Path) -> None:
        """Make sure that rows can be written there.

        Args:
            file: see above.

        Raises:
            ValueError: its ending is of no format.
            IsADirectoryError: it is a folder.
        """
        if file.suffix.lower() not in WRITERS:
            raise ValueError(f"{file}: expected a name that ends in {', '.join(WRITERS)}")
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder: name a file")

    def __enter__(self) -> "RowsFile":
        self._made = [each for each in self.file.parents if not each.exists()]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._writer = WRITERS[self.file.suffix.lower()](self.part, self._columns)
        return self

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row.

        Args:
            row: values by column.
        """
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._flush()
        finally:
            self._writer.close()
        if kind is None:
            self.part.replace(self.file)
        elif not self._written:
            self.part.unlink()
            for folder in self._made:
                with suppress(OSError):  # somebody else has put something into it
                    folder.rmdir()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.write(rows)
            self._written = True


class _Csv:
    """Rows of a CSV file, as ``csv_text`` has them."""

    def __init__(self, file: Path, columns: dict[str, type]) -> None:
        self._columns = columns
        self._stream = file.open("w", encoding="utf-8", newline="")
        self._add([], header=True)

    def write(self, rows: list[Mapping[str, Any]]) -> None:
        self._add(rows, header=False)

    def _add(self, rows: list[Mapping[str, Any]], header: bool) -> None:
        import pandas as pd

        self._stream.write(csv_text(pd.DataFrame(rows, columns=list(self._columns), dtype=object), header))

    def close(self) -> None:
        self._stream.close()


class _JsonLines:
    """An object of JSON a line, in ASCII."""

    def __init__(self, file: Path, columns: dict[str, type]) -> None:
        self._columns = columns
        self._stream = file.open("w", encoding="ascii", newline="")

    def write(self, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            whole = {name: _whole(row.get(name)) for name in self._columns}
            self._stream.write(json.dumps(whole, allow_nan=False) + "\n")

    def close(self) -> None:
        self._stream.close()


class _Parquet:
    """Row groups of a Parquet file."""

    def __init__(self, file: Path, columns: dict[str, type]) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        types = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
        self._schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
        self._writer = ParquetWriter(file, self._schema)

    def write(self, rows: list[Mapping[str, Any]]) -> None:
        import pyarrow as pa

        whole = [{name: _whole(row.get(name)) for name in self._schema.names} for row in rows]
        self._writer.write_table(pa.Table.from_pylist(whole, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _whole(value: Any) -> Any:
    """A value that UTF-8 and JSON can hold: bytes that are no UTF-8 are written out, NaN is missing."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return None if isinstance(value, float) and value != value else value


WRITERS: dict[str, Any] = {".csv": _Csv, ".parquet": _Parquet, ".jsonl": _JsonLines}
