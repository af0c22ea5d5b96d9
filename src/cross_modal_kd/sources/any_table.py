"""A table of a row a sample in whatever file it comes (csv, tsv, jsonl, parquet), and the samples of its rows."""

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, BinaryIO

import pandas as pd
from pydantic import Field

from cross_modal_kd.config import Strict
from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import (
    CONDITION,
    SamplesError,
    conditions_of,
    first_few,
    opened_parquet,
    read_csv,
    require_columns,
)
from cross_modal_kd.sources.files import Files, Known
from cross_modal_kd.sources.split_names import as_splits
from cross_modal_kd.storage import decoded, encoding_of, how_many

KINDS = (".csv", ".tsv", ".jsonl", ".parquet")
SHARED = ("label", "group", "domain", "split")
ENDING = r"(\.[^./]+)$"


class Fields(Strict):
    """What a table calls what it says of a sample.

    text: words. label: what is learnt (null: no row has one); a row whose cell is blank has none. group: what binds
    rows to one instance (null: each row is one). domain: session, artist, channel. split: train, dev (val, validation)
    or test; blank is drawn. conditions: name -> column of what errors are also counted within (gender, device);
    ``session`` is one label's own.
    """

    text: str | None = None
    label: str | None = "label"
    group: str | None = None
    domain: str | None = None
    split: str | None = None
    conditions: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], str] = Field(default_factory=dict)

    def of_role(self) -> dict[str, str]:
        """What there is of each role (``text``, ``label``, ..., ``condition_<name>``), by the name of its column."""
        named = {role: column for role, column in self.model_dump(exclude={"conditions"}).items() if column}
        return named | {f"{CONDITION}{condition}": column for condition, column in self.conditions.items()}


def read_table(file: Path, columns: list[str]) -> pd.DataFrame:
    """A table as text.

    Args:
        file: its ending, one of ``KINDS``, says what it is.
        columns: that it must have.

    Returns:
        A row a line, ``""`` for a null; the index is the line (of Parquet the row), from 1. Lists stay lists.

    Raises:
        SamplesError: the file is missing, of another kind or damaged, or lacks a column.
    """
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise SamplesError(f"{file}: expected a table that ends in {', '.join(KINDS)}, found {kind or 'no ending'}")
    if not file.is_file():
        raise SamplesError(f"{file}: the file is missing; restore it, or correct the source's root or its options")
    if kind in (".csv", ".tsv"):
        return read_csv(file, columns)
    return read_table_lines(file, columns) if kind == ".jsonl" else _texts(file, _parquet(file), columns)


def read_table_lines(file: Path, columns: list[str]) -> pd.DataFrame:
    """A table of a JSON object a line, as text.

    Args:
        file: of any ending.
        columns: that it must have.

    Returns:
        As ``read_table``.

    Raises:
        SamplesError: as ``read_table``.
    """
    return _texts(file, _lines(file), columns)


def _texts(file: Path, table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    require_columns(file, [str(name) for name in table.columns], columns)
    if table.empty:
        raise SamplesError(f"{file}: the table has no rows")
    return table.set_axis(range(1, len(table) + 1)).apply(_as_text)


def samples_of(
    name: str, file: Path, table: pd.DataFrame, files: Mapping[str, str | None], there: Files, folder: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The samples of a table's rows: one of each file that is named, one of each text.

    Files of one row, and its text, have its group: a column, else its first file. A row with a missing file is
    rejected, all of it. A blank cell is no sample; a blank label is none.

    Args:
        name: of the source.
        file: of the table, for messages.
        table: of ``read_table``, with the columns ``label``, ``group``, ``domain``, ``split``, ``text`` and those of
            conditions where there are any.
        files: columns of paths -> the modality that they hold; None goes by each file's ending.
        there: the files below the source's root.
        folder: that the paths start in, relative to the root; ``""`` is the root.

    Returns:
        Candidate rows; and source, path and reason of the rejected.

    Raises:
        SamplesError: a cell holds several values, a split is none, or rows of one file differ in label, group, domain,
            split or a condition.
    """
    conditions = [f"{CONDITION}{each}" for each in conditions_of(table)]
    _check_plain(file, table)
    table = table.assign(**{each: table[each].str.strip() for each in SHARED if each in table})
    paths = {column: _located(table[column], folder, there) for column in files}
    known, why = set(there.paths), pd.Series(None, index=table.index, dtype="str")
    for column, found in paths.items():
        missing = found.notna() & ~found.isin(known)
        named = _and_like(found, missing, there)
        why = why.mask(missing & why.isna(), f"the file of its {column} is missing: " + named)
        wrong = found.notna() & ~missing & (_modalities(found) != (files[column] or _modalities(found)))
        wrong |= found.notna() & ~missing & _modalities(found).isna()
        why = why.mask(wrong & why.isna(), f"its {column} is no file of {files[column] or 'a registered modality'}")
    first = pd.DataFrame(paths).bfill(axis=1).iloc[:, 0] if paths else pd.Series(None, index=table.index, dtype="str")
    number = table.index.astype("str").to_series(index=table.index)
    first = first.fillna(f"{file.name}, line " + number).astype("str")
    line = f" ({file.name}, line " + number + ")"
    rejected = pd.DataFrame({"source": name, "path": first, "reason": why + line})[why.notna()]
    shared = pd.DataFrame({each: table.get(each) for each in (*SHARED, *conditions)}, index=table.index, dtype="str")
    shared["group"] = shared["group"].mask(shared["group"] == "").fillna(first)
    shared = shared.assign(**{each: shared[each].mask(shared[each] == "") for each in ("label", "domain")})
    shared["split"] = as_splits(shared["split"], f"{file}, column split")
    parts = []
    for column, found in paths.items():
        used = found.notna() & why.isna()
        path = found[used]
        modality = _modalities(path) if files[column] is None else files[column]
        parts.append(shared[used].assign(path=path, modality=modality, sample_id=f"{name}/" + path))
    rows = pd.concat(parts).drop_duplicates() if parts else shared[:0].assign(path=None)
    _check_one_each(file, rows)
    if "text" in table:
        used = (table["text"].str.strip() != "") & why.isna()
        ids = f"{name}/text/{folder + '/' if folder else ''}" + number[used]
        texts = shared[used].assign(text=table.loc[used, "text"], modality="text", sample_id=ids)
        rows = pd.concat([rows, texts.drop_duplicates()])
    return rows.assign(source=name).reset_index(drop=True), rejected


def _parquet(file: Path) -> pd.DataFrame:
    """The columns, one of which is what was an index of pandas, unless it had no name."""
    with opened_parquet(file) as opened:  # ids some of which are null do not become floats, which would round them
        table = opened.read().to_pandas(integer_object_nulls=True, ignore_metadata=True)
    return table.loc[:, [not str(name).startswith("__index_level_") for name in table]]


def _lines(file: Path) -> pd.DataFrame:
    """The objects of the lines as columns, each value as it is written: no date is guessed, and no number rounded."""
    columns: dict[str, list[Any]] = defaultdict(list)
    count, line = 0, 0
    try:
        with file.open("rb") as lines:
            for content in _each(lines):
                line += 1
                if not (words := content.decode("utf-8-sig").strip()):
                    continue
                found = json.loads(words, object_pairs_hook=_each_once)
                if not isinstance(found, dict):
                    raise ValueError(f"it holds {words!r:.40}")
                if "\\ud" in words.lower():  # half of a character that was cut, which no text can hold
                    json.dumps(found, ensure_ascii=False).encode()
                for key, value in found.items():
                    columns[key] += [None] * (count - len(columns[key])) + [value]
                count += 1
    except (ValueError, RecursionError, OSError) as error:
        raise SamplesError(
            f"{file}, line {line}: not a readable table of a JSON object a line, in UTF-8 ({error}); correct it"
        ) from error
    return pd.DataFrame(
        {key: pd.Series(values + [None] * (count - len(values)), dtype=object) for key, values in columns.items()}
    )


def _each(lines: BinaryIO) -> Iterable[bytes]:
    """The lines in UTF-8; all at once of a file that its byte order mark says to be in UTF-16."""
    marked = encoding_of(lines.read(4)) != "utf-8-sig"
    lines.seek(0)
    return decoded(lines.read()).encode().splitlines() if marked else lines


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. ValueError where a key comes twice: one of its values would be dropped."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _as_text(column: pd.Series) -> pd.Series:
    """Numbers as they are written, a whole one without a fraction: a column of them with nulls may be of floats."""
    if column.dtype == object and column.map(_is_several).any():
        return column
    if column.dtype in ("float16", "float32"):  # 0.1 and not 0.10000000149011612
        column = pd.Series([float(str(value)) for value in column.to_numpy()], index=column.index)
    if column.dtype == object or pd.api.types.is_float_dtype(column):
        plain = (int(value) if isinstance(value, float) and value.is_integer() else value for value in column)
        column = pd.Series(list(plain), index=column.index, dtype=object)
    return column.astype("str").fillna("").mask(column.isna(), "")


def _is_several(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)


def _check_plain(file: Path, table: pd.DataFrame) -> None:
    """SamplesError for a cell that is a list or an object."""
    for column in (str(name) for name in table if table[name].dtype == object):
        several = table.index[table[column].map(_is_several)]
        if len(several):
            cell = table.at[several[0], column]
            raise SamplesError(
                f"{file}, line {several[0]}: expected one text or number as {column.removeprefix(CONDITION)}, found "
                f"{_held_by(cell)} ({how_many(len(several), 'line is', 'lines are')} so)"
            )


def _held_by(cell: Any) -> str:
    """What a cell holds that is no text and no number, and what to do."""
    if isinstance(cell, Mapping) and "bytes" in cell:
        return (
            "a file itself, as Hugging Face writes one ({bytes, path}): write the bytes into files below the root, and "
            "name the column that holds their paths"
        )
    if isinstance(cell, bytes):
        return f"bytes ({cell!r:.40}): write a text or a number; those of a file go below the root, and here its path"
    if isinstance(cell, Mapping):
        return f"an object ({cell!r:.80}): write the one value that is meant into a column of its own"
    return f"{cell!r:.80}; write a row for each"


def _located(paths: pd.Series, folder: str, there: Files) -> pd.Series:
    """Relative to the root, as the file system has them; null where the cell is blank."""
    blank = paths.str.strip() == ""
    full = (f"{folder}/" if folder else "") + paths
    known = Known(there.paths)
    odd = ~full.isin(set(there.paths)) & ~blank
    return full.mask(odd, full[odd].map(known.found)).mask(blank).astype("str")


def _and_like(paths: pd.Series, missing: pd.Series, there: Files) -> pd.Series:
    """Paths; those of missing files with the first file that is called so but for its ending, where there is one."""
    if not missing.any():
        return paths.fillna("")
    like: dict[str, str] = {}
    for path in there.paths:
        like.setdefault(posixpath.splitext(path)[0], path)
    hints = paths[missing].map(like)
    return paths.fillna("") + (" (there is " + hints + ": write the ending)").reindex(paths.index).fillna("")


def _modalities(paths: pd.Series) -> pd.Series:
    codes, endings = pd.factorize(paths.str.extract(ENDING, expand=False))
    found = [modality_of_ending(ending) for ending in endings]
    names = pd.Series([*(None if each is None else each.name for each in found), None], dtype="str")
    return names.iloc[codes].set_axis(paths.index)


def _check_one_each(file: Path, rows: pd.DataFrame) -> None:
    repeated = rows[rows["path"].duplicated(keep=False)].sort_values("path", kind="stable")
    if repeated.empty:
        return
    one, other = (repeated.iloc[at] for at in (0, 1))
    shared = [*SHARED, *(f"{CONDITION}{each}" for each in conditions_of(rows))]
    differs = [
        each for each in shared if one[each] != other[each] and not (pd.isna(one[each]) and pd.isna(other[each]))
    ]
    raise SamplesError(
        f"{file}, lines {one.name} and {other.name}: {one['path']!r} has different values of "
        f"{', '.join(each.removeprefix(CONDITION) for each in differs)} "
        f"({first_few([one[each] for each in differs])}; {first_few([other[each] for each in differs])}); a file is "
        "one sample: correct the lines, or name a column `group` that binds what belongs together"
    )


def folder_of(file: str) -> str:
    """The folder of a file.

    Args:
        file: relative to the root.

    Returns:
        Its folder, ``""`` for the root itself.

    >>> [folder_of("meta/pairs.csv"), folder_of("./pairs.csv")]
    ['meta', '']
    """
    parent = PurePosixPath(posixpath.normpath(file)).parent.as_posix()
    return "" if parent == "." else parent
