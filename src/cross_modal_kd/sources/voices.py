"""Voices by speaker: ``clips.csv`` (path, speaker, language, transcript, ...) beside the sound files."""

from typing import Any, Literal

from pydantic import Field

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.tables import read_csv

CLIPS = "clips.csv"


class VoicesOptions(Strict):
    """texts: the transcripts too. languages: which to use (null: all).

    domain: what the impostor trials of one source share: the collection (the speaker's name up to the first ``_``; one
    package, much the same room and microphone), the language, or both.
    min_clips: of a speaker that is kept.
    """

    texts: bool = False
    languages: list[str] | None = None
    domain: Literal["collection", "language", "collection_language"] = "collection"
    min_clips: int = Field(2, ge=1)


def read_voices(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows (label: the speaker; group: the clip) and text rows; a blank transcript is rejected with a reason.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``VoicesOptions``.

    Returns:
        The candidate rows; rejected are the clips of speakers with too few, and blank transcripts where texts are
        wanted.

    Raises:
        SamplesError: clips.csv is missing, lacks a column or has no rows.
        ValueError: an unknown or wrong option.
    """
    chosen = VoicesOptions.model_validate(options)
    clips = read_csv(roots.root(name) / CLIPS, ["path", "speaker", "language", "transcript"])
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    if chosen.languages is not None:
        clips = clips[clips["language"].isin(chosen.languages)]
    sizes = clips["speaker"].map(clips["speaker"].value_counts())
    for clip, size in zip(clips.to_dict("records"), sizes, strict=True):
        group = clip["path"].rsplit(".", 1)[0]
        if size < chosen.min_clips:
            reason = f"the speaker {clip['speaker']} has {size} clip(s), fewer than min_clips = {chosen.min_clips}"
            rejected.append({"source": name, "path": clip["path"], "reason": reason})
            continue
        collection = clip["speaker"].split("_", 1)[0]
        domains = {"collection": collection, "language": clip["language"]}
        domains["collection_language"] = f"{collection}/{clip['language']}"
        shared = {"label": clip["speaker"], "group": group, "domain": domains[chosen.domain], "source": name}
        rows.append(shared | {"sample_id": f"{name}/{group}", "modality": "speech", "path": clip["path"]})
        if chosen.texts and clip["transcript"].strip():
            text = " ".join(clip["transcript"].split())
            rows.append(shared | {"sample_id": f"{name}/text/{group}", "modality": "text", "text": text})
        elif chosen.texts:
            rejected.append({"source": name, "path": clip["path"], "reason": "the transcript is blank: no text row"})
    return listing(rows, rejected)
