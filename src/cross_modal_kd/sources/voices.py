"""Voices by speaker: ``clips.csv`` (path, speaker, language, transcript, ...) beside the sound files."""

from typing import Any, Literal

import pandas as pd
from pydantic import Field

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, first_few, read_csv
from cross_modal_kd.sources.files import Known, list_files
from cross_modal_kd.sources.listing import Listing, listing

CLIPS = "clips.csv"


class VoicesOptions(Strict):
    """texts: the transcripts too. languages: which to use (null: all).

    domain: what the impostor trials of one source share: the collection (the speaker's name up to the first ``_``; one
    package, much the same room and microphone), the language, or both; or the column ``domain`` or ``session`` of
    clips.csv (a blank cell: none).
    min_clips: of a speaker that is kept.
    """

    texts: bool = False
    languages: list[str] | None = None
    domain: Literal["collection", "language", "collection_language", "domain", "session"] = "collection"
    min_clips: int = Field(2, ge=1)


def read_voices(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows (label: the speaker; group: the clip) and text rows.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``VoicesOptions``.

    Returns:
        The rows, and the rejected: blank speakers and transcripts, and speakers of too few clips.

    Raises:
        SamplesError: clips.csv is missing, lacks a column or has no rows, or a language that is asked for has no clip.
        ValueError: an unknown or wrong option.
    """
    chosen = VoicesOptions.model_validate(options)
    own = [chosen.domain] if chosen.domain in ("domain", "session") else []
    root = roots.root(name)
    clips = read_csv(root / CLIPS, ["path", "speaker", "language", "transcript", *own])
    clips = clips.assign(path=clips["path"].map(Known(list_files(root).paths).found))
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    if chosen.languages is not None:
        clips = _in_languages(name, clips, chosen.languages)
    sizes = clips["speaker"].map(clips["speaker"].value_counts())
    for clip, size in zip(clips.to_dict("records"), sizes, strict=True):
        if reason := _unused(clip, size, chosen):
            rejected.append({"source": name, "path": clip["path"], "reason": reason})
            continue
        group = clip["path"].rsplit(".", 1)[0]
        shared = {"label": clip["speaker"], "group": group, "domain": _domain(clip, chosen), "source": name}
        rows.append(shared | {"sample_id": f"{name}/{group}", "modality": "speech", "path": clip["path"]})
        if chosen.texts and clip["transcript"].strip():
            text = " ".join(clip["transcript"].split())
            rows.append(shared | {"sample_id": f"{name}/text/{group}", "modality": "text", "text": text})
        elif chosen.texts:
            rejected.append({"source": name, "path": clip["path"], "reason": "the transcript is blank: no text row"})
    return listing(rows, rejected)


def _unused(clip: dict[Any, Any], size: int, chosen: VoicesOptions) -> str | None:
    """Why a clip is not used, None for one that is."""
    if not clip["speaker"].strip():
        return f"the speaker is blank in {CLIPS}"
    if size < chosen.min_clips:
        return f"the speaker {clip['speaker']} has {size} clip(s), fewer than min_clips = {chosen.min_clips}"
    return None


def _domain(clip: dict[Any, Any], chosen: VoicesOptions) -> str | None:
    if chosen.domain in ("domain", "session", "language"):
        return clip[chosen.domain].strip() or None
    collection = clip["speaker"].split("_", 1)[0]
    return collection if chosen.domain == "collection" else f"{collection}/{clip['language']}"


def _in_languages(name: str, clips: pd.DataFrame, languages: list[str]) -> pd.DataFrame:
    missing = sorted(set(languages) - set(clips["language"]))
    if missing or not languages:
        raise SamplesError(
            f"sources.{name}.options.languages = {languages}: expected languages of {CLIPS}, which has "
            f"{first_few(clips['language'].unique(), 20)}; correct them, or null for all"
        )
    return clips[clips["language"].isin(languages)]
