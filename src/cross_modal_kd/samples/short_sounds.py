"""Short sounds of one speaker, joined for training."""

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cross_modal_kd.samples.conditions import CONDITION, conditions_of
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.joined import joined_path
from cross_modal_kd.samples.stretches import CUT

logger = logging.getLogger(__name__)

OF_ONE = ["source", "label", "domain", "sample_rate"]
"""What sounds that are joined share, beside their folder."""


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
    sound = rows["path"].str.lower().str.partition("#")[0].str.endswith(CUT).fillna(False).astype(bool)
    given = sound & (rows["split"] == "train") & rows["label"].notna()
    if sound.any() and not given.any():
        raise SamplesError(
            f"ingestion.join_s = {seconds:g}: sounds of training are joined, and no source says which are (splits are "
            "drawn later); take join_s out"
        )
    whole = ~rows["path"].str.contains("#", regex=False).fillna(True).astype(bool)
    short = rows[given & whole & (rows["duration_s"] < seconds)].sort_values("path")
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
