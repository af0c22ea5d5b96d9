"""Formats that a folder shows by its lists: which layout reads it, with which options."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import TAR, SamplesError, shown
from cross_modal_kd.sources import KINDS, METADATA, PACKED_TARS, are_splits, list_files, read_table, text_field, untold

TEXT_COLUMNS = ("text", "caption", "description", "sentence", "transcript", "transcription")


BESIDE = ("captions.csv", "domains.csv", "splits.csv")
"""Tables that the layout ``folder`` reads beside label folders."""


class Format(NamedTuple):
    """layout: a name of ``sources.LAYOUTS``. options: of it."""

    layout: str
    options: Mapping[str, Any]


def unread_table(folder: Path) -> str:
    """How a table that lies in a folder, and that it is not known by, can be read.

    Args:
        folder: that exists.

    Returns:
        A sentence with the options that read the first of them, put after what is wrong; empty where there is none.
    """
    with untold():
        there = list_files(folder).paths
    tables = (path for path in there if PurePosixPath(path).suffix.lower() in KINDS)
    path = next((path for path in tables if PurePosixPath(path).name not in BESIDE), None)
    if path is None:
        return ""
    try:
        names = read_table(folder / path, []).columns
    except SamplesError as error:
        return f". The table in it cannot be read: {error}"
    columns, is_metadata = ", ".join(map(str, names)), PurePosixPath(path).name in METADATA
    if is_metadata and len(names) < 3:  # paths and texts, which --write-captions takes
        return ""
    if is_metadata:
        options = "--layout=hf_folder --options='{label: COLUMN, text: COLUMN}'"
    else:
        options = (
            f"--layout=table --options='{{file: {path}, columns: {{image: COLUMN, text: COLUMN, label: COLUMN}}}}'"
        )
    return f". It holds {shown(path)} with the columns {shown(columns)}: {options} reads that (docs/your-own-data.md)"


def format_of(folder: Path) -> Format | None:
    """What a folder is, as far as it shows it.

    Kaldi's by ``wav.scp``; WeSpeaker's by ``raw.list`` or ``shard.list``; Hugging Face's by metadata with a column
    ``label``; a webdataset by tars, beside which lies no file of a modality; ImageFolder by images below folders of
    splits.

    Args:
        folder: that exists.

    Returns:
        The format; None of what the layout ``folder`` is for.

    Raises:
        SamplesError: the metadata, or the first tar, are damaged.
    """
    if (folder / "wav.scp").is_file():
        return Format("kaldi", {"texts": True} if (folder / "text").is_file() else {})
    for name in ("raw.list", "shard.list"):
        if (folder / name).is_file():
            return Format("wespeaker", {} if name == "raw.list" else {"list": name})
    paths = [PurePosixPath(path) for path in list_files(folder).paths]
    metadata = next((path for path in paths if path.name in METADATA), None)
    if metadata is not None and "label" in (columns := read_table(folder / metadata, []).columns):
        text = next((name for name in TEXT_COLUMNS if name in columns), None)
        return Format("hf_folder", {"text": text} if text else {})
    tars = [path for path in paths if path.name.lower().endswith((TAR, *PACKED_TARS))]
    if tars and not any(modality_of_ending(path.suffix) for path in paths):
        text = text_field(folder, map(str, tars), TEXT_COLUMNS)
        return Format("webdataset", {"columns": {"text": text}} if text else {})
    files = [path for path in paths if len(path.parts) > 2 and modality_of_ending(path.suffix)]
    kinds = {found.name for path in files if (found := modality_of_ending(path.suffix))}
    if kinds == {"image"} and are_splits({path.parts[0] for path in files}) and len({p.parts[0] for p in files}) > 1:
        return Format("image_folder", {})
    return None
