"""Any folder ``<root>/<label>/<file>`` of images, sounds or files of another registered modality.

Optional beside the label folders: ``captions.csv``, ``domains.csv`` and ``splits.csv``.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cross_modal_kd.config import Strict
from cross_modal_kd.modalities import known_endings, modality_of_ending
from cross_modal_kd.samples import SPLITS, Roots, SamplesError, first_few, in_one_form
from cross_modal_kd.sources.beside import CAPTIONS, DOMAINS, SPLITS_FILE, Beside
from cross_modal_kd.sources.files import Files, list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing

# Of a path as ``list_files`` has it, by the rules of ``pathlib``: a dot at either end of a name begins no ending.
ENDING = r"[^/](?P<part>\.[^./]+)$"
LABEL, SESSION = r"^(?P<part>[^/]+)/", r"^[^/]+/(?P<part>[^/]+)/"


class FolderOptions(Strict):
    """How a folder is read.

    group: what binds modalities to one instance. Captions have the group of their file. It is the ``file`` itself, its
    ``stem`` (``a/1.wav`` and ``a/1.png``), or the ``parent`` folder below the label (a video).
    unlabelled: name of the one folder, in place of a label's, whose files have none; those that lie in the root, beside
    the label folders, have none either.
    domain: what the impostor trials of one source share, and what quality is ranked in: the ``parent`` folder below the
    label (a session: ``anna/monday/1.wav``), or what a column ``domain`` or ``session`` of one of the tables beside the
    label folders says (null).
    """

    group: Literal["file", "stem", "parent"] = "file"
    domain: Literal["parent"] | None = None
    unlabelled: str | None = Field(None, pattern=r"^[^/]+$")


def read_folder(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Rows of every file of a modality (by its ending) and of every caption. The label is the first folder.

    What lies in none, or in the folder ``unlabelled``, has no label.

    Tables beside the label folders, each of which may be there, with commas, semicolons, tabs or bars. A path may be
    written in any form (``./a/1.png``, with backslashes, in the other form of Unicode):

    - captions.csv: path, text; several texts of one file may be given.
    - domains.csv: domain (or session) beside path or label. The other two may have such a column instead.
    - splits.csv: split beside path or label (an official split, kept).

    Files of another kind, blank captions and what ``list_files`` passes over go to the rejected, each with its reason;
    hidden files and folders are passed over.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``FolderOptions``.

    Returns:
        The rows and the rejected.

    Raises:
        SamplesError: there is no file of a modality, or a table is wrong: the file and the line or the names.
        ValueError: an unknown or wrong option.
    """
    chosen = FolderOptions.model_validate(options)
    root = roots.root(name)
    rows, passed_over = rows_of(name, list_files(root), chosen, labelled=False)
    if rows.empty:
        found = f"; {len(passed_over)} are passed over: " if len(passed_over) else ""
        few = first_few(passed_over["path"] + ": " + passed_over["reason"], 2) if len(passed_over) else ""
        raise SamplesError(
            f"sources.{name}.root: no <label>/<file> of a registered modality under {root}; add some{found}{few}"
        )
    beside = Beside(root, rows, passed_over["path"])
    rows = beside.with_domains()
    captions, rejected = beside.captions(name, rows)
    frame = pd.concat([rows, captions], ignore_index=True).assign(source=name)
    if beside.has(SPLITS_FILE):
        frame["split"] = _official(beside, name, frame)
    return listing(frame, pd.concat([passed_over, rejected]))


def rows_of(
    name: str, found: Files, options: FolderOptions, labelled: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What paths below a folder say by themselves, as columns: no Python object is made of a path.

    Args:
        name: of the source.
        found: of ``list_files``.
        options: what binds modalities, what a domain is, and what has no label.
        labelled: whether every file must lie in a label's folder; others are passed over.

    Returns:
        The candidates (sample_id, modality, label, group, path, domain) in the order of their paths; and source, path
        and reason of what is passed over. A label is null where there is none.
    """
    path = pd.Series(found.paths, dtype="str")
    path = path[~path.isin([CAPTIONS, DOMAINS, SPLITS_FILE])]
    ending = _part(path, ENDING).fillna("")
    codes, endings = pd.factorize(ending)
    names = np.array([_modality_name(text) for text in endings], dtype=object)
    modality = pd.Series(names[codes] if len(path) else [], index=path.index, dtype="str")
    unlabelled, unknown = ~path.str.contains("/", regex=False) & labelled, modality.isna()
    reason = (
        ending.where(ending != "", "no")
        + f" ending: a file of no registered modality; those read are {known_endings()}"
    )
    meant = path.str.lower()
    reason = reason.mask(meant.isin([CAPTIONS, DOMAINS, SPLITS_FILE]), "to be read it has to be called " + meant)
    reason = reason.mask(unlabelled, "no label: the file lies beside the label folders")[unlabelled | unknown]
    others = pd.DataFrame({"source": name, "path": path[reason.index], "reason": reason})
    path, modality = (column[~(unlabelled | unknown)].reset_index(drop=True) for column in (path, modality))
    rows = pd.DataFrame({"sample_id": f"{name}/" + path, "modality": modality, "path": path})
    rows["label"] = in_one_form(_part(path, LABEL))
    rows["label"] = rows["label"].mask(rows["label"] == in_one_form(pd.Series([options.unlabelled], dtype="str"))[0])
    rows["group"] = in_one_form(_group(path, options.group))
    sessions = _part(path, SESSION) if options.domain == "parent" else pd.Series(None, index=path.index, dtype="str")
    rows["domain"] = in_one_form(sessions)
    passed_over = pd.DataFrame(as_rejected(name, found.passed_over), columns=list(others), dtype="str")
    return rows, pd.concat([passed_over, others], ignore_index=True)


def regrouped(rows: pd.DataFrame, options: FolderOptions) -> pd.DataFrame:
    """Rows as another option ``group`` would bind them, without another look at the disk.

    Args:
        rows: that ``read_folder`` gave with the option ``group: file``.
        options: with the group that is asked for.

    Returns:
        The same rows, with other groups.
    """
    return rows.assign(group=in_one_form(_group(rows["group"], options.group)))


def _modality_name(ending: str) -> str | None:
    modality = modality_of_ending(ending)
    return None if modality is None else modality.name


def _group(path: pd.Series, kind: str) -> pd.Series:
    """The path itself, without its ending, or the folder that it lies in."""
    if kind == "file":
        return path
    import pyarrow.compute as pc

    pattern, kept = {"stem": (r"([^/])\.[^./]+$", r"\1"), "parent": (r"/[^/]*$", "")}[kind]
    return _column(pc.replace_substring_regex(path.array.__arrow_array__(), pattern, kept), path.index)


def _part(path: pd.Series, pattern: str) -> pd.Series:
    """The group ``part`` of a pattern (of RE2) in each path, null where it is not found."""
    import pyarrow.compute as pc

    found = pc.extract_regex(path.array.__arrow_array__(), pattern)
    return _column(pc.struct_field(found, "part"), path.index)


def _column(texts: Any, index: pd.Index) -> pd.Series:
    return pd.Series(pd.array(texts, dtype="str"), index=index)


def _official(beside: Beside, name: str, frame: pd.DataFrame) -> pd.Series:
    """The split of each row of a file or caption that splits.csv names, null for others."""
    file = beside.root / SPLITS_FILE
    table, key = beside.keyed(SPLITS_FILE)
    splits = table["split"].str.strip()
    wrong = set(splits) - set(SPLITS)
    if wrong:
        raise SamplesError(f"{file}: split must be one of {list(SPLITS)}, found {first_few(wrong)}")
    repeated = table.loc[table[key].duplicated(), key]
    if len(repeated):
        raise SamplesError(f"{file}: each {key} may be given once; repeated: {first_few(repeated)}")
    unknown = set(table[key]) - set(frame[key].dropna()) - beside.unused
    if unknown:
        raise SamplesError(f"{file}: no such {key} in the source {name}: {first_few(unknown)}")
    split_of = splits.set_axis(table[key])
    if key == "label":
        return frame["label"].map(split_of)
    by_group = frame.dropna(subset=["path"]).set_index("group")["path"].map(split_of).groupby(level=0).first()
    return frame["path"].map(split_of).fillna(frame["group"].map(by_group))
