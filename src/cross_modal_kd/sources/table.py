"""One table of a row an instance: paths of images and sounds, texts, and a label."""

from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from pydantic import Field, model_validator

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, first_few, leads_outside
from cross_modal_kd.sources.any_table import Fields, folder_of, read_table, samples_of
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing


class Columns(Fields):
    """The table's name of each column.

    image, speech: paths. text: words. One of the three at least.

    label: what is learnt (null: no row has one); a row whose cell is blank has none. group: what binds rows to one
    instance (null: each row is one). domain: session, artist, channel. split: train, dev (val, validation) or test;
    blank is drawn. conditions: name -> column of what errors are also counted within (gender, device); ``session`` is
    one label's own.
    """

    image: str | None = None
    speech: str | None = None

    @model_validator(mode="after")
    def _one_at_least(self) -> "Columns":
        if not (self.image or self.speech or self.text):
            raise ValueError("expected a column of image, speech or text, found none; name one")
        return self


class TableOptions(Strict):
    """How the table is read.

    file: below the root: .csv, .tsv, .jsonl or .parquet; paths in it start in its folder, or are whole ones below the
    root, as SpeechBrain and 3D-Speaker write them. columns: what they are.
    """

    file: str = Field(min_length=1)
    columns: Columns


def read_table_source(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """A sample of each file and each text that the table names.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``TableOptions``.

    Returns:
        The rows; and the rejected: rows with a missing file.

    Raises:
        SamplesError: the table is missing, wrong, lacks a column (those that there are are named), or no row is usable.
        ValueError: an unknown or wrong option.
    """
    chosen = TableOptions.model_validate(options)
    root = roots.root(name)
    if leads_outside(chosen.file):
        raise SamplesError(
            f"sources.{name}.options.file = {chosen.file!r} leads outside {root}; write it relative to the root"
        )
    of_role = chosen.columns.of_role()
    file = root / chosen.file
    found = read_table(file, list(dict.fromkeys(of_role.values())))
    table = found[list(of_role.values())].set_axis(list(of_role), axis=1)
    there = list_files(root)
    files: dict[str, str | None] = {role: role for role in ("image", "speech") if role in of_role}
    table = table.assign(**{role: _from_folder(table[role], root, folder_of(chosen.file)) for role in files})
    rows, rejected = samples_of(name, file, table, files, there, folder_of(chosen.file))
    if rows.empty:
        few = first_few(rejected["path"] + ": " + rejected["reason"], 2)
        raise SamplesError(f"{file}: none of its {len(table)} rows can be used ({few}); paths start in {file.parent}")
    return listing(rows, pd.concat([pd.DataFrame(as_rejected(name, there.passed_over)), rejected]))


def _from_folder(paths: pd.Series, root: Path, folder: str) -> pd.Series:
    """Whole paths below the root as seen from the folder of the table."""
    back = "../" * len(PurePosixPath(folder).parts)
    for start in dict.fromkeys((f"{root.absolute().as_posix()}/", f"{root.resolve().as_posix()}/")):
        whole = paths.astype("str").str.startswith(start)
        paths = paths.mask(whole, back + paths[whole].str.removeprefix(start))
    return paths
