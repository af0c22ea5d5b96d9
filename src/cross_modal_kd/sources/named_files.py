"""Files that a list of a published set names, held against those that are there."""

import logging
from pathlib import Path, PurePosixPath

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few, shown
from cross_modal_kd.sources.files import Files, list_files
from cross_modal_kd.sources.listing import as_rejected

logger = logging.getLogger(__name__)


def held_against_disk(
    name: str, folder: Path, prefix: str, files: pd.Series, where: str
) -> tuple[pd.Series, list[dict[str, str]]]:
    """Which of the files of a list are there.

    Args:
        name: of the source.
        folder: that the list is of.
        prefix: what stands before its paths in the samples table.
        files: (n,) paths below the folder, as the list has them.
        where: the list's name, for reasons.

    Returns:
        (n,) truth values on the index of ``files``; and source, path and reason of those that are missing, of files
        that the list does not name, and of what ``list_files`` passes over.

    Raises:
        SamplesError: none of them is there.
    """
    found = list_files(folder) if folder.is_dir() else Files([], {})
    there = files.isin(found.paths)
    others = sorted(set(found.paths) - set(files))
    elsewhere = {_bare(path): path for path in others}
    if not there.any():
        first = next((path for path in files if _bare(path) in elsewhere), None)
        instead = "unpack them there" if first is None else f"there is {elsewhere[_bare(first)]!r}: move or rename them"
        raise SamplesError(
            f"{folder}: none of the {len(files)} files of {where} is there ({first_few(files, 1)}); {instead}"
        )
    missing = files[~there]
    if len(missing):
        logger.warning(
            "%s: %d of the %d files of %s are missing under %s: %s",
            *(name, len(missing), len(files), where, folder, first_few(missing, 3)),
        )

    def absent(path: str) -> str:
        instead = elsewhere.get(_bare(path))
        as_ = "is not there" if instead is None else f"lies there as {shown(instead)}: move or rename it"
        return f"{where} names it, and it {as_}"

    reasons = (
        {prefix + path: reason for path, reason in found.passed_over.items()}
        | {prefix + path: absent(path) for path in missing}
        | {prefix + path: f"{where} does not name it" for path in others}
    )
    return there, as_rejected(name, reasons)


def _bare(path: str) -> str:
    """The name in small letters, without folders: by which a file is found that lies elsewhere."""
    return PurePosixPath(path).name.lower()
