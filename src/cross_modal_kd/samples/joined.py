"""Sounds of one speaker as one: an address ``a.flac#join/b.flac/c.flac`` is what is heard of them in turn."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from cross_modal_kd.samples.conditions import CONDITION, conditions_of
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.stretches import CUT, stretch_bytes

logger = logging.getLogger(__name__)

JOIN = "join/"
OF_ONE = ["source", "label", "domain", "sample_rate"]
"""What sounds that are joined share, beside their folder."""


def joined_path(paths: list[str]) -> str:
    """Address of several recordings as one.

    Args:
        paths: at least two, relative to their source's root, in one folder; each ends as one of ``CUT`` does.

    Returns:
        The path of the first and the names of the others.

    >>> joined_path(["id1/a.flac", "id1/b.flac", "id1/c.flac"])
    'id1/a.flac#join/b.flac/c.flac'
    """
    first, *others = paths
    return f"{first}#{JOIN}" + "/".join(PurePosixPath(path).name for path in others)


def joined_files(path: str) -> list[str]:
    """The files that an address is read from.

    Args:
        path: as a source or ``joined_path`` gives it.

    Returns:
        Their paths; the path alone where it is not of several.

    >>> joined_files("id1/a.flac#join/b.flac/c.flac")
    ['id1/a.flac', 'id1/b.flac', 'id1/c.flac']
    """
    first, mark, others = path.partition(f"#{JOIN}")
    return [first, *(str(PurePosixPath(first).with_name(name)) for name in others.split("/"))] if mark else [path]


def recording_bytes(file: Path, member: str, source: str) -> bytes:
    """A stretch of a recording, or several recordings as one, as a WAV file.

    Args:
        file: the (first) recording.
        member: ``t=start,end``, or ``join/`` and the names of the others, which lie beside it.
        source: of the recording, for errors.

    Returns:
        The bytes of a WAV.

    Raises:
        SamplesError: the member is no such address, or a file is missing.
        UnreadableSampleError: a file is no sound, is damaged, or has another rate or number of channels than the first.
    """
    if not member.startswith(JOIN):
        return stretch_bytes(file, member, source)
    import soundfile

    waves, rates, subtypes = [], set(), set()
    for each in (file, *(file.with_name(name) for name in member.removeprefix(JOIN).split("/"))):
        if not each.is_file():
            raise SamplesError(f"{source}: the file {each} is missing; restore it, or run ingestion again")
        try:
            with soundfile.SoundFile(each) as sound:
                rates.add((sound.samplerate, sound.channels))
                subtypes.add(sound.subtype)
                waves.append(sound.read(dtype="float32"))
        except soundfile.SoundFileError as error:
            raise UnreadableSampleError(each.name, f"not a readable sound ({error}); copy it once more") from error
    if len(rates) > 1:
        raise UnreadableSampleError(
            f"{file.name}#{member}", f"sounds of one rate and number of channels are joined, found {sorted(rates)}"
        )
    plain, written = subtypes <= {"PCM_16", "PCM_S8", "PCM_U8"}, io.BytesIO()
    ((rate, _),) = rates
    soundfile.write(written, np.concatenate(waves), rate, subtype="PCM_16" if plain else "FLOAT", format="WAV")
    return written.getvalue()


def join_short(rows: pd.DataFrame, seconds: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Short sounds of training joined, those of one label and domain in one folder, in the order of their names.

    Each is added to those before it until they last so long; what is left at the end of a folder, and shorter, is one
    too, or stays what it was where it is alone. What has no label stays alone: whose it is is not known. As WeSpeaker
    does for CN-Celeb, there in one speaker and genre.

    Args:
        rows: of the samples table, with durations.
        seconds: that a sound is to last, or it is joined, where its source gives it to training (``split``).

    Returns:
        The rows without those that were joined; and a row each joined sound, not looked at yet: the sample_id and group
        of its first with ``+`` and how many more, and the conditions that all of them share.

    Raises:
        SamplesError: no source says which sounds are of training.
    """
    speech = (rows["modality"] == "speech") & rows["path"].notna()
    given = speech & (rows["split"] == "train") & rows["label"].notna()
    if speech.any() and not given.any():
        raise SamplesError(
            f"ingestion.join_s = {seconds:g}: sounds of training are joined, and no source says which are (splits are "
            "drawn later); take join_s out"
        )
    plain = rows["path"].str.lower().str.endswith(CUT) & ~rows["path"].str.contains("#", regex=False)
    short = rows[given & plain.fillna(False) & (rows["duration_s"] < seconds)].sort_values("path")
    folder = short["path"].str.rpartition("/")[0]
    names = [f"{CONDITION}{name}" for name in conditions_of(rows)]
    places, made = [], []
    for _, of_one in short.groupby([*(short[name] for name in OF_ONE), folder], sort=False, dropna=False):
        for part in _parts(of_one["duration_s"].to_numpy(), seconds):
            joined = of_one.iloc[part]
            places.append(joined.index)
            made.append(_as_one(joined, names))
    if not made:
        return rows, rows.iloc[:0]
    taken = rows.index.isin(np.concatenate(places))
    logger.info(
        "%d sounds of training that are shorter than ingestion.join_s = %g s are %d joined ones now",
        *(taken.sum(), seconds, len(made)),
    )
    return rows[~taken], pd.DataFrame(made).astype({name: rows[name].dtype for name in made[0]})


def _parts(durations: np.ndarray, seconds: float) -> Iterator[slice]:
    """Runs of at least two that last long enough together, and the rest."""
    start, total = 0, 0.0
    for place, duration in enumerate(durations.tolist(), 1):
        total += duration
        if total >= seconds or place == len(durations):
            if place - start > 1:
                yield slice(start, place)
            start, total = place, 0.0


def _as_one(joined: pd.DataFrame, conditions: list[str]) -> dict[str, object]:
    first, more = joined.iloc[0], f"+{len(joined) - 1}"
    kept = {name: first[name] for name in ("modality", "label", "family", "domain", "split", "source")}
    shared = {name: first[name] if joined[name].nunique(dropna=False) == 1 else None for name in conditions}
    group = None if pd.isna(first["group"]) else first["group"] + more
    path = joined_path(joined["path"].tolist())
    return kept | shared | {"sample_id": first["sample_id"] + more, "group": group, "path": path}
