"""Hugging Face's image and audio folders: ``metadata.csv``, ``.jsonl``, ``.parquet``, or labels by folder."""

from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, first_few
from cross_modal_kd.sources.any_table import folder_of, read_table, samples_of
from cross_modal_kd.sources.files import Files, list_files
from cross_modal_kd.sources.image_folder import by_class
from cross_modal_kd.sources.listing import Listing, as_rejected, listing
from cross_modal_kd.sources.split_names import SPLIT_OF

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


class HfFolderOptions(Strict):
    """Columns of the metadata.

    label: what is learnt (null: no row has one); a row whose cell is blank has none. text: captions (null: none).
    group, domain: as of ``table``.
    """

    label: str | None = "label"
    text: str | None = None
    group: str | None = None
    domain: str | None = None


def read_hf_folder(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Samples of every file that the metadata name; where there are none, of every file by the label of its folder.

    Columns of files are ``file_name``, ``file_names`` and what ends in ``_file_name`` or ``_file_names`` (lists); paths
    start in the folder of the metadata. The split is that of the folder ``train``, ``validation`` or ``test``. Labels
    are of folders only without metadata, and only if there is more than one and all files lie at one depth: the rule of
    the library ``datasets``.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``HfFolderOptions``.

    Returns:
        The rows, and the rejected.

    Raises:
        SamplesError: metadata of two kinds or with different columns, without a column that is asked for or of files;
            or labels that cannot be those of folders.
        ValueError: an unknown or wrong option.
    """
    chosen = HfFolderOptions.model_validate(options)
    root = roots.root(name)
    there = list_files(root)
    metadata = [path for path in there.paths if PurePosixPath(path).name in METADATA]
    if not metadata:
        return _by_folder(name, root, there)
    if len({PurePosixPath(path).suffix for path in metadata}) > 1:
        raise SamplesError(f"{root}: expected metadata of one kind, found {first_few(metadata)}; keep one of them")
    of_role = {role: column for role, column in chosen.model_dump().items() if column}
    parts, rejected, columns = [], [pd.DataFrame(as_rejected(name, there.passed_over))], {}
    for path in metadata:
        file = root / path
        table = read_table(file, [])
        columns[path] = sorted(table.columns)
        if columns[path] != columns[metadata[0]]:
            raise SamplesError(
                f"{file}: expected the columns of {metadata[0]} ({columns[metadata[0]]}), found {columns[path]}; give "
                "all metadata the same"
            )
        _require(file, table, of_role)
        files = [column for column in map(str, table) if _is_of_files(column)]
        renamed = table[files].join(table[list(of_role.values())].set_axis(list(of_role), axis=1))
        renamed = _one_each(renamed, files, path)
        firsts = (f"{folder_of(path)}/" if folder_of(path) else "") + renamed[files].bfill(axis=1).iloc[:, 0]
        renamed["split"] = [_split(first) for first in firsts]
        found, unused = samples_of(name, file, renamed, dict.fromkeys(files), there, folder_of(path))
        parts.append(found)
        rejected.append(unused)
    rows = pd.concat(parts, ignore_index=True)
    if rows.empty:
        few = first_few(pd.concat(rejected)["reason"], 2)
        raise SamplesError(f"{root}: no row of {first_few(metadata)} can be used ({few})")
    unnamed = sorted(set(there.paths) - set(rows["path"].dropna()) - set(metadata) - set(pd.concat(rejected)["path"]))
    rejected.append(pd.DataFrame({"source": name, "path": unnamed, "reason": "the metadata do not name it"}))
    return listing(rows, pd.concat(rejected))


def _is_of_files(column: str) -> bool:
    return column in ("file_name", "file_names") or column.endswith(("_file_name", "_file_names"))


def _require(file: Path, table: pd.DataFrame, of_role: dict[str, str]) -> None:
    if not any(_is_of_files(str(column)) for column in table):
        raise SamplesError(f"{file}: expected a column file_name or *_file_name, found {list(table.columns)}; add it")
    for role, column in of_role.items():
        if column not in table:
            rule = "; beside metadata the folders give no labels" if role == "label" else ""
            raise SamplesError(
                f"{file}: expected the column {column!r} (option {role}), found {list(table.columns)}{rule}; name one "
                f"of them in options.{role}"
            )


def _one_each(table: pd.DataFrame, files: list[str], path: str) -> pd.DataFrame:
    """A row for each file of a list, bound by a group; ``""`` for no file."""
    lists = [column for column in files if column.endswith("file_names")]
    if lists and "group" not in table:
        table = table.assign(group=f"{path}, row " + table.index.astype("str"))
    for column in lists:
        table = table.explode(column)
    return table.assign(**{column: table[column].fillna("").astype("str") for column in files})


def _split(path: str) -> str:
    """Of the first folder that is named as one, ``""`` where none is."""
    return next((SPLIT_OF[part.lower()] for part in PurePosixPath(path).parts[:-1] if part.lower() in SPLIT_OF), "")


def _by_folder(name: str, root: Path, there: Files) -> Listing:
    rows, passed_over = by_class(name, there)
    bare = rows["path"].where(rows["split"].isna(), rows["path"].str.split("/", n=1).str[1])
    depths = bare.str.count("/").unique()
    if rows["label"].nunique() < 2 or len(depths) > 1:
        found = f"files at {len(depths)} depths" if len(depths) > 1 else f"{rows['label'].nunique()} label(s)"
        raise SamplesError(
            f"sources.{name}.root: without metadata ({', '.join(METADATA)}) the labels are those of folders, of which "
            f"there must be more than one, with all files at one depth; found {found} under {root}. Add metadata with "
            "file_name and label, or put the files into <label>/"
        )
    return listing(rows.assign(source=name), passed_over)
