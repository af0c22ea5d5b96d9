"""Formats that a folder shows by its lists: which layout reads it, with which options."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import TAR
from cross_modal_kd.sources import METADATA, PACKED_TARS, are_splits, list_files, read_table, text_field

TEXT_COLUMNS = ("text", "caption", "description", "sentence", "transcript", "transcription")


class Format(NamedTuple):
    """layout: a name of ``sources.LAYOUTS``. options: of it."""

    layout: str
    options: Mapping[str, Any]


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
