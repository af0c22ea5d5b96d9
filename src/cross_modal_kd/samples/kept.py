"""What was found out about files, kept on disk: a file that has not changed since is not read again."""

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from cross_modal_kd.storage import require_readable, with_space

logger = logging.getLogger(__name__)

NAME = ["modality", "source", "path"]
STAMP = ["root", "size", "mtime_ns", "ctime_ns"]
CONTENT = ["size", "mtime_ns"]
SECONDS = 20.0
"""Between two writes: so much work a run that is killed loses at most."""
PART = "*.parquet"
COARSEST_NS = 2 * 10**9
"""Steps in which the coarsest file system (FAT) tells the time: a file may change twice in one, and look the same."""

Stamps = Callable[[pd.DataFrame], pd.DataFrame]


class Kept:
    """A table of what is known of files by modality, source, path, root, size and both times of the last change.

    A copy may bring the old time with it (``cp -p``, an archive that is unpacked), but not the one that the file system
    itself keeps (``ctime``). Of a file that has changed in the last two seconds nothing is kept. The table is a folder
    of Parquet files, each written whole before it gets its name, which has the content's digest; the last of them
    counts. Memory: O(N) of what is kept.

    Args:
        folder: of the tables; made where it is missing.
        decides: all beside the file that decides what is found (names, options, versions): what was found under
            another is not looked at.
        stamps: rows -> root, size, mtime_ns and ctime_ns of their files on the rows' index, a size of -1 for what
            cannot be kept (``Roots.stamps``).
    """

    def __init__(self, folder: Path, decides: str, stamps: Stamps) -> None:
        self._folder = folder / hashlib.sha256("\n".join([*STAMP, decides]).encode()).hexdigest()[:16]
        self._stamps = stamps
        self._stamped = pd.DataFrame()
        self._parts: list[pd.DataFrame] = []
        self._written = time.monotonic()

    def known(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What was found out about some of the rows; their stamps are taken now, before the others are read.

        Args:
            rows: with modality, source and path, on an index without repeats.

        Returns:
            The columns that were kept, a row for each that has not changed, on their index.
        """
        stamps = self._stamps(rows)
        lasting = (stamps["mtime_ns"] - time.time_ns()).abs() > COARSEST_NS
        self._stamped = pd.concat([rows[NAME], stamps.assign(size=stamps["size"].where(lasting, -1))], axis=1)
        old = self._files()
        kept = self._read(old)
        if kept.empty:
            return pd.DataFrame(index=rows.index[:0])
        if len(old) > 1:  # of a run that was killed, or of several: one table of what is asked for
            there = _places(_names(kept), _names(self._stamped)) >= 0
            kept = kept if there.all() else kept[there]
            self._save(kept)
            for file in old:
                file.unlink(missing_ok=True)  # another run may have been first
        at = _places(_names(self._stamped), _names(kept))
        same = at >= 0
        for column in STAMP:
            same &= kept[column].to_numpy()[at] == self._stamped[column].to_numpy()
        same &= self._stamped["size"].to_numpy() >= 0
        return kept.drop(columns=[*NAME, *STAMP]).iloc[at[same]].set_axis(rows.index[same])

    def keep(self, found: pd.DataFrame) -> None:
        """Keep what was found out, on disk a few seconds later.

        Args:
            found: on the index of rows that ``known`` was asked for.
        """
        stamps = self._stamped.loc[found.index]
        self._parts.append(pd.concat([stamps, found], axis=1)[stamps["size"] >= 0])
        if time.monotonic() - self._written > SECONDS:
            self.write()

    def write(self) -> None:
        """Write what is not on disk yet."""
        parts, self._parts, self._written = [part for part in self._parts if len(part)], [], time.monotonic()
        if parts:
            self._save(_last_of_each(pd.concat(parts, ignore_index=True)))

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(PART))

    def _read(self, files: list[Path]) -> pd.DataFrame:
        """All that is kept, of a file the last that was found."""
        tables = []
        for file in files:
            require_readable(file)
            try:
                if _digest(file) != file.stem.partition("-")[2]:
                    raise ValueError("it is not the one that was written, SHA-256")
                tables.append(pd.read_parquet(file))
            except (OSError, ValueError) as error:  # pyarrow's own errors are both
                logger.warning("%s is damaged (%s): its files are read again", file, error)
        if not tables:
            return pd.DataFrame(columns=[*NAME, *STAMP])
        if len(tables) == 1:
            return tables[0]
        kept = pd.concat(tables, ignore_index=True)
        del tables
        return _last_of_each(kept)

    def _save(self, table: pd.DataFrame) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f".{uuid4().hex}.new"
        try:
            with with_space(self._folder):
                table.to_parquet(new, index=False)
            new.replace(self._folder / f"{time.time_ns():020d}-{_digest(new)}.parquet")
        finally:
            new.unlink(missing_ok=True)


def stamped_otherwise(rows: pd.DataFrame, folder: Path, stamps: Stamps) -> pd.Index:
    """The rows whose files have another size or time of the last change than in all that is kept of them.

    Args:
        rows: with modality, source and path, on an index without repeats.
        folder: that ``Kept`` takes; what is damaged in it tells nothing.
        stamps: as ``Kept`` takes them.

    Returns:
        Their index, in the rows' order; without those of which nothing is kept, and those that are not there.
    """
    tables = [_tried(file) for file in sorted(folder.glob(f"*/{PART}"))]
    kept = pd.concat([table for table in tables if not table.empty] or [pd.DataFrame(columns=[*NAME, *CONTENT])])
    if rows.empty or kept.empty:
        return rows.index[:0]
    names = _names(rows)
    known = names.isin(_names(kept)).to_numpy()
    now = stamps(rows[known])
    there = now["size"] >= 0
    same = pd.MultiIndex.from_arrays([names[known], *(now[column] for column in CONTENT)]).isin(
        pd.MultiIndex.from_arrays([_names(kept), *(kept[column] for column in CONTENT)])
    )
    return now.index[there.to_numpy() & ~same]


def _tried(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file, columns=[*NAME, *CONTENT])
    except (OSError, ValueError):
        return pd.DataFrame()


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def _last_of_each(table: pd.DataFrame) -> pd.DataFrame:
    """The last row of each file."""
    again = pd.Series(pd.factorize(_names(table))[0]).duplicated(keep="last").to_numpy()
    return table[~again] if again.any() else table


def _places(names: pd.Series, among: pd.Series) -> np.ndarray:
    """(n,) where each name stands among others, -1 where it does not; no Python object is made of a name."""
    import pyarrow.compute as pc

    found = pc.index_in(names.array.__arrow_array__(), value_set=among.array.__arrow_array__().combine_chunks())
    return np.asarray(pc.fill_null(found, -1), dtype=np.intp)


def _names(table: pd.DataFrame) -> pd.Series:
    return table["modality"] + "\0" + table["source"] + "\0" + table["path"]
