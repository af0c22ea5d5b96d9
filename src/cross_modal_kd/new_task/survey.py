"""What lies in a folder, as the layout reads it that it shows itself to be of; else as ``folder`` does."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cross_modal_kd.config import IngestionConfig, SourceConfig
from cross_modal_kd.modalities import known_endings, modality_of, modality_of_ending
from cross_modal_kd.new_task.formats import BESIDE, Format, format_of, unread_table
from cross_modal_kd.samples import Roots, SamplesError, UnreadableSampleError, as_records, first_few
from cross_modal_kd.sources import check_source, layout_of, list_files, untold
from cross_modal_kd.storage import counted_kinds, how_many, misread

LAYOUT = "folder"
SPLIT_FOLDERS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing"})
UNLABELLED = frozenset({"unlabelled", "unlabeled", "no_label", "no_labels"})
ARCHIVE = re.compile(r"\.(zip|7z|rar|tar|tgz|tbz2|txz|tar\.\w+)$", re.IGNORECASE)
LOOKED_AT, MOST, BYTES = 24, 1000, 100_000_000
"""Files of each modality that are decoded: all of them, but evenly spread ones of many (``MOST``) or of large ones, of
about so many ``BYTES`` together, and so few at least: what takes seconds, not what a run takes."""


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        folder: that was looked at.
        sources: a folder each, by the name of the source.
        rows: candidate rows of all of them, of the layout's default options, without those that cannot be read.
        passed_over: source, path and reason of the files that are not used.
        facts: modality, width and height (pixels), duration_s (seconds) and sample_rate (Hz) of the files that were
            decoded, of each modality as many as that takes seconds.
        unreadable: source, modality, path and reason of those that could not be.
        outside: paths below ``folder`` of files of a modality, and of tables that would be read beside label folders,
            that lie below no source and are not used.
        layout: of the sources.
        options: of the sources.
    """

    folder: Path
    sources: Mapping[str, Path]
    rows: pd.DataFrame
    passed_over: pd.DataFrame
    facts: pd.DataFrame
    unreadable: pd.DataFrame
    layout: str = LAYOUT
    options: Mapping[str, Any] = field(default_factory=dict)
    outside: Sequence[str] = ()

    def of(self, modality: str) -> pd.DataFrame:
        """The rows of one modality.

        Args:
            modality: its name.

        Returns:
            A part of ``rows``.
        """
        return self.rows[self.rows["modality"] == modality]


def look(folder: Path, said: Format | None = None) -> Survey:
    """Look at a folder: which modalities, which labels, which tables; and decode its files, or some of many.

    Args:
        folder: that exists, with files below ``<label>/``; or with a folder of such folders for each modality
            (``voices/<label>/``, ``faces/<label>/``); or with one folder that holds either.
        said: how it is to be read; None goes by what it shows.

    Returns:
        What was found.

    Raises:
        SamplesError: there is no such folder, it has no ``<label>/<file>``, its folders are splits, a table in it
            is wrong, or there is no such layout or option.
    """
    if reason := misread(str(folder.resolve())):
        raise SamplesError(reason)
    if folder.is_file():
        what = "unpack it, and name the folder" if ARCHIVE.search(folder.name) else "name the folder that it lies in"
        raise SamplesError(f"{folder} is a file, not a folder with your files: {what}")
    if not folder.is_dir():
        raise SamplesError(f"{folder}: there is no such folder; name the one that holds your files")
    with untold():
        found = said or format_of(folder)
    layout, options = found or (LAYOUT, {})
    if said:
        check_source(source_name(folder.resolve().name), SourceConfig(root=str(folder), **said._asdict()))
    with untold():
        sources = {source_name(folder.resolve().name): folder} if found else _sources(folder)
        outside = [] if found else _outside(folder, sources.values())
    if not found and (unlabelled := _unlabelled(sources.values())):
        options = {"unlabelled": unlabelled}
    roots = Roots({name: SourceConfig(layout=layout, root=str(root.resolve())) for name, root in sources.items()})
    read = [layout_of(name, layout)(name, roots, dict(options)) for name in sources]
    rows = pd.concat([found.rows for found in read], ignore_index=True)
    facts, unreadable = _look_into(rows, roots)
    if facts.empty and len(unreadable):
        path, reason = unreadable[["path", "reason"]].iloc[0]
        raise SamplesError(
            f"{folder}: none of the {len(unreadable)} files that were looked into can be read; the first, {path}: "
            f"{reason}"
        )
    passed_over = pd.concat([found.rejected for found in read], ignore_index=True)
    rows = rows.drop(index=unreadable.index).reset_index(drop=True)
    return Survey(folder, sources, rows, passed_over, facts, unreadable, layout, options, outside)


def _unlabelled(roots: Iterable[Path]) -> str:
    """The folder in place of a label's whose name says that its files have none; empty where there is no such."""
    folders = [each for root in roots for each in sorted(root.iterdir()) if each.is_dir()]
    return next((each.name for each in folders if each.name.lower() in UNLABELLED), "")


def _outside(folder: Path, roots: Iterable[Path]) -> list[str]:
    """``outside`` of a ``Survey``."""
    below = [each.relative_to(folder).as_posix() for each in roots]
    if "." in below:
        return []
    paths = [PurePosixPath(path) for path in list_files(folder).paths]
    kept = [path for path in paths if modality_of_ending(path.suffix) or path.name in BESIDE]
    return [str(path) for path in kept if not any(path.is_relative_to(root) for root in below)]


def _sources(folder: Path) -> dict[str, Path]:
    """The roots of sources below a folder, by name: the folder itself, or a folder each modality."""
    paths = [PurePosixPath(path) for path in list_files(folder).paths]
    files = [path for path in paths if len(path.parts) > 1 and modality_of_ending(path.suffix)]
    if not files:
        raise SamplesError(_nothing(folder, paths))
    below: dict[str, list[PurePosixPath]] = defaultdict(list)
    for path in files:
        below[path.parts[0]].append(path)
    deep = all(len(path.parts) > 2 for path in files)
    if len({name.lower() for name in below} & SPLIT_FOLDERS) > 1:
        raise SamplesError(
            f"{folder}: its folders are splits ({first_few(below)}), and the layout folder takes the first folder for "
            "the label. Put the label first, <label>/<file>, and write splits.csv (path,split: train, dev or test) "
            "beside the label folders; without it the split is drawn. Images alone are read as they "
            f"are, by the layout image_folder{unread_table(folder)}"
        )
    if deep and len(below) == 1:
        return _sources(folder / next(iter(below)))
    if deep and _is_one_modality_each(below):
        return {source_name(name): folder / name for name in sorted(below)}
    return {source_name(folder.resolve().name): folder}


def _is_one_modality_each(below: Mapping[str, Sequence[PurePosixPath]]) -> bool:
    """Whether every folder holds another modality."""
    kinds = [{found.name for path in files if (found := modality_of_ending(path.suffix))} for files in below.values()]
    return all(len(kind) == 1 for kind in kinds) and len(set().union(*kinds)) == len(below) > 1


def _nothing(folder: Path, paths: Sequence[PurePosixPath]) -> str:
    known = [path for path in paths if modality_of_ending(path.suffix)]
    if known:
        return (
            f"{folder}: {how_many(len(known), 'file lies', 'files lie')} in it and none in a folder of its label (the "
            f"first: {known[0]}). Make a folder for each label, named after it, and put its files there: <label>/<file>"
            f"{unread_table(folder)}"
        )
    endings = counted_kinds(path.suffix or "no ending" for path in paths)
    there = f"it has {how_many(len(paths), 'other')} ({endings})" if paths else "it is empty"
    return f"{folder}: no file of a modality that is read ({known_endings()}); {there}"


def source_name(folder: str) -> str:
    """A folder's name as that of a source: letters from a to z, digits and underscores.

    Args:
        folder: its name.

    Returns:
        ``files`` where nothing of it is left.

    >>> source_name("My birds (2024)")
    'my_birds_2024'
    """
    return re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_") or "files"


def _look_into(rows: pd.DataFrame, roots: Roots) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``facts`` and ``unreadable`` of a ``Survey``; the latter on the index of ``rows``."""
    facts: list[dict[str, Any]] = []
    unreadable: dict[Any, str] = {}
    for modality, files in rows.dropna(subset=["path"]).groupby("modality"):
        chosen = _spread(files, MOST)
        size = roots.stamps(chosen)["size"].clip(lower=1).mean()
        chosen = _spread(chosen, max(LOOKED_AT, int(BYTES / size)))
        for at, row in zip(chosen.index, as_records(chosen), strict=True):
            try:
                found = modality_of(str(modality)).inspect(row, roots, IngestionConfig())
            except UnreadableSampleError as error:
                unreadable[at] = error.reason
            else:
                facts.append({"modality": modality, **found})
    names = ["modality", "width", "height", "duration_s", "sample_rate"]
    lost = rows.loc[list(unreadable), ["source", "modality", "path"]].assign(reason=list(unreadable.values()))
    return pd.DataFrame(facts).reindex(columns=names), lost


def _spread(files: pd.DataFrame, most: int) -> pd.DataFrame:
    """So many of them at most, evenly spread."""
    return files.iloc[:: -(-len(files) // most)]
