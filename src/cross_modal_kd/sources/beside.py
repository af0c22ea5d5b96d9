"""The tables beside label folders, joined with the files in whatever form they write a path."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few, leads_outside, one_form, read_csv, shown
from cross_modal_kd.sources.files import Known
from cross_modal_kd.sources.listing import as_rejected

CAPTIONS, DOMAINS, SPLITS_FILE = "captions.csv", "domains.csv", "splits.csv"
COLUMNS = {CAPTIONS: ["path", "text"], DOMAINS: [], SPLITS_FILE: ["split"]}


class Beside:
    """The tables of one folder.

    Args:
        root: the folder.
        rows: of its files, whose ``path`` the tables name; ``set_domains`` fills in their ``domain``.
        unused: paths of files that are there and not used.
    """

    def __init__(self, root: Path, rows: list[dict[str, Any]], unused: Iterable[str] = ()) -> None:
        self.root = root
        self.unused = set(unused)
        self._rows = rows
        self._row_of = {row["path"]: row for row in rows}
        self._tables: dict[str, pd.DataFrame] = {}
        self._known = Known(self.unused.union(self._row_of))

    def has(self, table: str) -> bool:
        """Whether a table is there.

        Args:
            table: its name.

        Returns:
            Whether there is such a file.
        """
        return (self.root / table).is_file()

    def keyed(self, table: str) -> tuple[pd.DataFrame, str]:
        """A table that speaks of files or of labels.

        Args:
            table: its name, a key of ``COLUMNS``: the columns that it must have beside ``path`` or ``label``.

        Returns:
            The table, and which of the two it has; the paths are those of the file system.

        Raises:
            SamplesError: the table is wrong, or has neither.
        """
        if table not in self._tables:
            self._tables[table] = read_csv(self.root / table, COLUMNS[table])
        found = self._tables[table]
        key = "path" if "path" in found else "label"
        if key not in found:
            raise SamplesError(
                f"{self.root / table}: expected a column path or label, found {list(found.columns)}; add one of the two"
            )
        return found.assign(**{key: found[key].map(self._known.found if key == "path" else one_form)}), key

    def captions(self, name: str) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
        """A row for each text of ``captions.csv``, with the label, group and domain of its file.

        Args:
            name: of the source.

        Returns:
            The rows, and the rejected: blank captions, and those of files that are there but not used.

        Raises:
            SamplesError: the table is wrong, or names files that are missing.
        """
        if not self.has(CAPTIONS):
            return [], []
        table, _ = self.keyed(CAPTIONS)
        missing = [path for path in table["path"].unique() if not self._is_there(path)]
        if missing:
            raise SamplesError(
                f"{self.root / CAPTIONS}: {table['path'].isin(missing).sum()} captions of files that are missing: "
                f"{first_few(missing)}; restore the files or take the lines out"
            )
        rows, rejected = [], []
        numbers = table.groupby("path").cumcount()
        for line, path, text, number in zip(table.index, table["path"], table["text"], numbers, strict=True):
            row = self._row_of.get(path)
            if row is None or not text.strip():
                why = "its caption is empty" if row is not None else "a caption of a file that is not used"
                rejected += as_rejected(name, {path: f"{why} ({CAPTIONS}, line {line})"})
                continue
            rows.append(
                {"sample_id": f"{name}/text/{path}/{number}", "modality": "text", "text": text}
                | {key: row[key] for key in ("label", "group", "domain")}
            )
        return rows, rejected

    def set_domains(self) -> None:
        """Give each file's row the domain of the column ``domain`` or ``session`` that one of the tables has for it.

        Raises:
            SamplesError: a table is wrong, or two lines give one file different domains.
        """
        for name in (DOMAINS, CAPTIONS, SPLITS_FILE):
            if not self.has(name):
                continue
            table, key = self.keyed(name)
            column = next((column for column in ("domain", "session") if column in table), None)
            if column is None and name == DOMAINS:
                raise SamplesError(
                    f"{self.root / name}: expected a column domain or session, found {list(table.columns)}"
                )
            if column is not None:
                self._join(name, table[key], table[column].str.strip())

    def _join(self, name: str, keys: pd.Series, domains: pd.Series) -> None:
        """Set the domains of the rows with these paths or labels; blank ones say nothing."""
        given: dict[str, str] = {}
        for line, key, domain in zip(keys.index, keys, domains, strict=True):
            if domain and given.setdefault(key, domain) != domain:
                raise SamplesError(
                    f"{self.root / name}, line {line}: {key!r} has the domain {given[key]!r} and {domain!r}"
                )
        for row in self._rows:
            domain = given.get(row[str(keys.name)])
            if domain is not None and row["domain"] not in (None, domain):
                raise SamplesError(
                    f"{self.root / name}: {shown(row['path'])!r} has the domain {row['domain']!r} by its folder or "
                    f"another table, and {domain!r} here; say it in one place"
                )
            row["domain"] = row["domain"] if domain is None else domain

    def _is_there(self, path: str) -> bool:
        """Whether there is such a file, used, passed over or hidden."""
        hidden = bool(path) and not leads_outside(path) and (self.root / path).is_file()
        return path in self._row_of or path in self.unused or hidden
