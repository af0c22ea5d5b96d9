"""A Kaldi data directory: ``wav.scp``, ``utt2spk``, and where they are ``segments``, ``spk2utt``, ``text`` and more."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import CONDITION, CUT, Roots, SamplesError, first_few, leads_outside, stretch_path
from cross_modal_kd.sources.below import below_root
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.storage import text_in

logger = logging.getLogger(__name__)

WAV, SPEAKER, BY_SPEAKER, TEXT, SEGMENTS = "wav.scp", "utt2spk", "spk2utt", "text", "segments"
LENGTH, GENDER = "utt2dur", "spk2gender"


class KaldiOptions(Strict):
    """folder: of the lists, below the root, in which the sounds lie. texts: the transcripts too."""

    folder: str = "."
    texts: bool = False


def read_kaldi(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows (label: the speaker; group: the utterance), and text rows of the transcripts.

    An utterance that ``utt2spk`` does not name has no label.

    A line of ``wav.scp`` that is a command (it ends in ``|``) is never run: it is rejected. With ``segments`` an
    utterance is a stretch of a recording, of which alone it is read. ``spk2gender`` is a condition. ``utt2dur`` is
    checked for what has no length there; lengths are measured.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``KaldiOptions``.

    Returns:
        The rows; and the rejected: commands, missing files, blank transcripts.

    Raises:
        SamplesError: a list is missing or wrong, ``spk2utt`` contradicts ``utt2spk``, or no utterance can be used.
        ValueError: an unknown or wrong option.
    """
    chosen = KaldiOptions.model_validate(options)
    root = roots.root(name)
    if leads_outside(chosen.folder):
        raise SamplesError(f"sources.{name}.options.folder = {chosen.folder!r} leads outside {root}; take another root")
    lists = root / chosen.folder
    files = _pairs(lists / WAV)
    speaker = _pairs(lists / SPEAKER)
    if (lists / BY_SPEAKER).is_file():
        _check_speakers(lists, speaker)
    piped = files.str.endswith("|")
    paths, why = below_root(files.mask(piped, "a command"), root, "" if chosen.folder == "." else chosen.folder)
    why = why.mask(piped, f"{WAV} has a command, which is never run: write its sound to a file, and the path here")
    if (lists / SEGMENTS).is_file():
        files, paths, why, piped = _cut(lists / SEGMENTS, files, paths, why)
    _check_lengths(name, lists / LENGTH, files.index)
    speakers = speaker.reindex(files.index)
    rejected = pd.DataFrame({"source": name, "path": files.mask(~piped, paths), "reason": why})[why.notna()]
    rejected["reason"] += " (utterance " + rejected.index.astype("str") + ")"
    rows = pd.DataFrame({"path": paths, "label": speakers, "group": files.index, "sample_id": f"{name}/" + files.index})
    if (lists / GENDER).is_file():
        rows[f"{CONDITION}gender"] = rows["label"].map(_pairs(lists / GENDER)).astype("str")
    rows = rows[why.isna()].assign(modality="speech")
    if rows.empty:
        found = first_few(rejected["path"] + ": " + rejected["reason"], 2)
        raise SamplesError(f"{lists / WAV}: none of its {len(files)} utterances can be used ({found})")
    if chosen.texts:
        words = _pairs(lists / TEXT).reindex(rows.index).fillna("")
        silent = words.str.strip() == ""
        none = pd.DataFrame({"source": name, "path": rows["path"], "reason": f"no words in {TEXT}"})[silent]
        texts = rows.drop(columns="path").assign(sample_id=f"{name}/text/" + rows["group"], modality="text", text=words)
        rows, rejected = pd.concat([rows, texts[~silent]]), pd.concat([rejected, none])
    return listing(rows.assign(source=name).reset_index(drop=True), rejected)


def _cut(
    file: Path, files: pd.Series, paths: pd.Series, why: pd.Series
) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    """The recordings' entries, paths, reasons and whether they are commands, of each segment and by its utterance."""
    given = _pairs(file).str.split(expand=True).reindex(columns=range(3))
    times = given[[1, 2]].apply(pd.to_numeric, errors="coerce")
    wrong = times.isna().any(axis=1) | (times[1] < 0) | ((times[2] <= times[1]) & (times[2] != -1))
    if wrong.any():
        first = wrong.index[wrong][0]
        raise SamplesError(
            f"{file}: expected 'utterance recording start end' in seconds, the start before the end (or -1, the end of "
            f"the recording), found {' '.join(given.loc[first].dropna())!r} of {first!r} ({wrong.sum()} are so); "
            "correct it"
        )
    recording = given[0]
    unknown = ~recording.isin(files.index)
    entries, path, reason = (each.reindex(recording).set_axis(recording.index) for each in (files, paths, why))
    piped = entries.str.endswith("|").fillna(False).astype(bool)
    reason = reason.mask(unknown, f"its recording is not in {WAV}: " + recording)
    cut = path.str.endswith(CUT).fillna(False).astype(bool)
    reason = reason.mask(reason.isna() & ~cut, f"a stretch is read of {', '.join(CUT)} alone: convert the recording")
    ends = times[2].where(times[2] != -1)
    used = reason.isna()
    stretches = [
        stretch_path(where, start, None if pd.isna(end) else end)
        for where, start, end in zip(path[used], times.loc[used, 1], ends[used], strict=True)
    ]
    path = path.fillna(recording)
    path[used] = stretches
    return entries.fillna(recording), path, reason, piped


def _check_lengths(name: str, file: Path, utterances: pd.Index) -> None:
    """Say which utterances have no length. Raises SamplesError for one that is no length."""
    if not file.is_file():
        return
    given = _pairs(file)
    wrong = ~(pd.to_numeric(given, errors="coerce") > 0)
    if wrong.any():
        first = wrong.index[wrong][0]
        raise SamplesError(f"{file}: expected seconds above 0, found {given[first]!r} of {first!r}; correct it")
    if len(lacking := utterances.difference(given.index)):
        logger.warning("%s: %d of %d utterances are not in %s: %s", *(name, len(lacking), len(utterances), file),
                       first_few(lacking, 3))  # fmt: skip


def _pairs(file: Path) -> pd.Series:
    """What follows the first word of each line, on that word."""
    if not file.is_file():
        raise SamplesError(f"{file}: the file is missing; a Kaldi directory has {WAV} and {SPEAKER}; restore it")
    try:
        lines = pd.Series(text_in(file).splitlines(), dtype="str").str.strip()
    except UnicodeDecodeError as error:
        raise SamplesError(f"{file}: not a text in UTF-8 ({error}); save it so") from error
    parts = lines[lines != ""].str.split(n=1, expand=True).reindex(columns=[0, 1])
    if parts.empty:
        raise SamplesError(f"{file}: it is empty; restore it")
    short = parts.index[parts[1].isna()]
    if len(short) and file.name != TEXT:
        raise SamplesError(
            f"{file}, line {short[0] + 1}: expected an id, a blank and a value, found {lines[short[0]]!r}; correct it"
        )
    repeated = parts[0][parts[0].duplicated()]
    if len(repeated):
        raise SamplesError(f"{file}, line {repeated.index[0] + 1}: the id {repeated.iloc[0]!r} stands there twice")
    return parts.set_index(pd.Index(parts[0].astype("str"), name=None))[1].astype("str")


def _check_speakers(lists: Path, speaker: pd.Series) -> None:
    other = _pairs(lists / BY_SPEAKER).str.split().explode()
    theirs = pd.Series(other.index, index=pd.Index(other.to_numpy()), dtype="str")
    theirs = theirs[~theirs.index.duplicated()].reindex(speaker.index.union(theirs.index))
    ours = speaker.reindex(theirs.index)
    differs = theirs.index[(theirs != ours).fillna(True)]
    if len(differs):
        first = differs[0]
        raise SamplesError(
            f"{lists / BY_SPEAKER}: {len(differs)} utterances have another speaker than in {SPEAKER}: {first!r} is of "
            f"{_or_none(theirs[first])} here and of {_or_none(ours[first])} there; make it anew (utt2spk_to_spk2utt.pl)"
        )


def _or_none(speaker: Any) -> str:
    return "none" if pd.isna(speaker) else repr(speaker)
