"""Any folder ``<root>/<label>/<file>`` of images, sounds or files of another registered modality.

Optional beside the label folders: ``captions.csv``, ``domains.csv`` and ``splits.csv``.
"""

from pathlib import PurePosixPath
from typing import Any, Literal

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.modalities import known_endings, modality_of_ending
from cross_modal_kd.samples import SPLITS, Roots, SamplesError, first_few, one_form, shown
from cross_modal_kd.sources.beside import CAPTIONS, DOMAINS, SPLITS_FILE, Beside
from cross_modal_kd.sources.files import Files, list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing


class FolderOptions(Strict):
    """How a folder is read.

    group: what binds modalities to one instance. Captions have the group of their file. It is the ``file`` itself, its
    ``stem`` (``a/1.wav`` and ``a/1.png``), or the ``parent`` folder below the label (a video).
    domain: what the impostor trials of one source share, and what quality is ranked in: the ``parent`` folder below the
    label (a session: ``anna/monday/1.wav``), or what a column ``domain`` or ``session`` of one of the tables beside the
    label folders says (null).
    """

    group: Literal["file", "stem", "parent"] = "file"
    domain: Literal["parent"] | None = None


def read_folder(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Rows of every file of a modality (by its ending) and of every caption. The label is the first folder.

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
    rows, passed_over = _files(name, list_files(root), chosen)
    if not rows:
        found = f"; {len(passed_over)} are passed over: " if passed_over else ""
        few = first_few([f"{shown(path)}: {reason}" for path, reason in passed_over.items()], 2) if passed_over else ""
        raise SamplesError(
            f"sources.{name}.root: no <label>/<file> of a registered modality under {root}; add some{found}{few}"
        )
    beside = Beside(root, rows, passed_over)
    beside.set_domains()
    captions, rejected = beside.captions(name)
    frame = pd.DataFrame(rows + captions).assign(source=name)
    if beside.has(SPLITS_FILE):
        frame["split"] = _official(beside, name, frame)
    return listing(frame, as_rejected(name, passed_over) + rejected)


def _files(name: str, found: Files, chosen: FolderOptions) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Rows of the files of a modality, and every other file with its reason."""
    rows: list[dict[str, Any]] = []
    passed_over = dict(found.passed_over)
    for text in found.paths:
        path = PurePosixPath(text)
        modality = modality_of_ending(path.suffix)
        if text in (CAPTIONS, DOMAINS, SPLITS_FILE):
            continue
        if len(path.parts) < 2:
            passed_over[text] = "no label: the file lies beside the label folders"
        elif modality is None:
            unknown = f"{path.suffix or 'no'} ending: a file of no registered modality"
            passed_over[text] = f"{unknown}; those read are {known_endings()}"
        else:
            rows.append(
                {"sample_id": f"{name}/{text}", "modality": modality.name, "label": one_form(path.parts[0])}
                | {"group": one_form(_group(path, chosen.group)), "path": text, "domain": _session(path, chosen)}
            )
    return rows, passed_over


def regrouped(rows: pd.DataFrame, options: FolderOptions) -> pd.DataFrame:
    """Rows as another option ``group`` would bind them, without another look at the disk.

    Args:
        rows: that ``read_folder`` gave with the option ``group: file``.
        options: with the group that is asked for.

    Returns:
        The same rows, with other groups.
    """
    return rows.assign(group=rows["group"].map(lambda file: one_form(_group(PurePosixPath(file), options.group))))


def _group(path: PurePosixPath, kind: str) -> str:
    return {"file": path, "stem": path.with_suffix(""), "parent": path.parent}[kind].as_posix()


def _session(path: PurePosixPath, chosen: FolderOptions) -> str | None:
    """The folder below the label, where the option asks for it and there is one."""
    return one_form(path.parts[1]) if chosen.domain == "parent" and len(path.parts) > 2 else None


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
