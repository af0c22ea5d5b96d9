"""The tables beside label folders, joined with the files in whatever form they write a path."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few, leads_outside, one_form, read_csv, shown
from cross_modal_kd.sources.files import Known
from cross_modal_kd.storage import how_many

CAPTIONS, DOMAINS, SPLITS_FILE = "captions.csv", "domains.csv", "splits.csv"
COLUMNS = {CAPTIONS: ["path", "text"], DOMAINS: [], SPLITS_FILE: ["split"]}

MISSING = "caption of a file that is missing", "captions of files that are missing"


class Beside:
    """The tables of one folder.

    Args:
        root: the folder.
        rows: of its files (path, label, group, domain), whose ``path`` the tables name.
        unused: paths of files that are there and not used.
    """

    def __init__(self, root: Path, rows: pd.DataFrame, unused: Iterable[str] = ()) -> None:
        self.root = root
        self.unused = set(unused)
        self._rows = rows
        self._tables: dict[str, pd.DataFrame] = {}

    @cached_property
    def _known(self) -> Known:
        return Known([*self.unused, *self._rows["path"]])

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

    def captions(self, name: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A row for each text of ``captions.csv``, with the label, group and domain of its file.

        Args:
            name: of the source.
            rows: of the files, with their domains.

        Returns:
            The rows, and the rejected: blank captions, and those of files that are there but not used.

        Raises:
            SamplesError: the table is wrong, or names files that are missing.
        """
        if not self.has(CAPTIONS):
            return rows[:0], pd.DataFrame([])
        table, _ = self.keyed(CAPTIONS)
        at = pd.Series(pd.Index(rows["path"]).get_indexer(pd.Index(table["path"])), index=table.index)
        missing = [path for path in table.loc[at < 0, "path"].unique() if not self._is_there(path)]
        if missing:
            raise SamplesError(
                f"{self.root / CAPTIONS}: {how_many(table['path'].isin(missing).sum(), *MISSING)}: "
                f"{first_few(missing)}; restore the files, write paths as they are "
                f"below {self.root}, or take the lines out"
            )
        number = table.groupby("path").cumcount().astype("str")
        blank = table["text"].str.strip() == ""
        why = pd.Series("its caption is empty", index=table.index, dtype="str")
        why = why.mask(at < 0, "a caption of a file that is not used")[blank | (at < 0)]
        lines = f" ({CAPTIONS}, line " + why.index.astype("str").to_series(index=why.index) + ")"
        paths = table.loc[why.index, "path"].map(shown)
        used = ~(blank | (at < 0))
        table, number, at = table[used], number[used], at[used]
        texts = (
            rows.iloc[at.to_numpy()][["label", "group", "domain"]]
            .set_axis(table.index)
            .assign(sample_id=f"{name}/text/" + table["path"] + "/" + number, modality="text", text=table["text"])
        )
        return texts, pd.DataFrame({"source": name, "path": paths, "reason": why + lines})

    def with_domains(self) -> pd.DataFrame:
        """The rows of the files, each with the domain of the column ``domain`` or ``session`` of one of the tables.

        Returns:
            A new table; the domains that the rows had are kept where no table has one.

        Raises:
            SamplesError: a table is wrong, names files or labels that are not there, or two lines give one file
                different domains.
        """
        rows = self._rows
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
                if name == DOMAINS:
                    self._require_known(name, table[key], rows[key])
                rows = rows.assign(domain=self._joined(name, rows, table[key], table[column].str.strip()))
        return rows

    def _joined(self, name: str, rows: pd.DataFrame, keys: pd.Series, domains: pd.Series) -> pd.Series:
        """The domains of the rows, with those of a table by these paths or labels; blank ones say nothing."""
        domains = domains[domains != ""]
        keys = keys[domains.index]
        first = domains.groupby(keys).transform("first")
        if (odd := domains[domains != first]).size:
            line, domain = odd.index[0], odd.iloc[0]
            raise SamplesError(
                f"{self.root / name}, line {line}: {keys[line]!r} has the domain {first[line]!r} and {domain!r}"
            )
        given = rows[str(keys.name)].map(first.set_axis(keys)[~keys.duplicated().to_numpy()]).astype("str")
        twice = rows[rows["domain"].notna() & given.notna() & (rows["domain"] != given)]
        if len(twice):
            row, domain = twice.iloc[0], given[twice.index[0]]
            raise SamplesError(
                f"{self.root / name}: {shown(row['path'])!r} has the domain {row['domain']!r} by its folder or "
                f"another table, and {domain!r} here; say it in one place"
            )
        return given.fillna(rows["domain"])

    def _require_known(self, name: str, keys: pd.Series, known: pd.Series) -> None:
        """Refuse a table that speaks of files or labels that are not there: most are misspelt."""
        unknown = [key for key in pd.unique(keys[~keys.isin(known)]) if not self._is_there(key)]
        if unknown:
            raise SamplesError(
                f"{self.root / name}: no such {keys.name}: {first_few(unknown)}; correct the names or take the lines "
                "out"
            )

    def _is_there(self, path: str) -> bool:
        """Whether there is such a file or folder, passed over or hidden."""
        hidden = bool(path) and not leads_outside(path) and (self.root / path).exists()
        return path in self.unused or hidden
