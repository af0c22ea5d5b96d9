"""Look at every sample once: can it be decoded, how long or large is it, what is its digest."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from cross_modal_kd.config.ingestion import IngestionConfig
from cross_modal_kd.modalities.image.read import read_image
from cross_modal_kd.modalities.speech.read import decode_speech
from cross_modal_kd.modalities.text.read import read_text
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.schema import DTYPES, REJECTED_DTYPES, conform


def inspect_rows(
    candidates: pd.DataFrame, roots: Roots, ingestion: IngestionConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The candidates that can be used, with sha256, duration_s, width, height and sample_rate filled, and the rejected.

    Raises SamplesError for a file that is missing, and for a source of which more than
    ``ingestion.max_rejected_share`` cannot be used.
    """
    from tqdm import tqdm

    rows = candidates.to_dict("records")
    with ThreadPoolExecutor(ingestion.workers) as pool:
        found = list(
            tqdm(
                pool.map(lambda row: _look(row, roots, ingestion.min_duration_s), rows),
                total=len(rows),
                desc="Looking at every sample",
                unit="",
                mininterval=1.0,
            )
        )
    reasons = pd.Series([facts.get("reason") for facts in found], index=candidates.index, dtype="str")
    facts = pd.DataFrame(found, index=candidates.index).drop(columns="reason", errors="ignore")
    seen = conform(pd.concat([candidates.drop(columns=facts.columns, errors="ignore"), facts], axis=1), DTYPES)
    seen.index = candidates.index
    bad = reasons.notna()
    _check_share(candidates, reasons, ingestion.max_rejected_share)
    paths = candidates["path"].fillna(candidates["sample_id"])
    rejected = pd.DataFrame({"source": candidates["source"], "path": paths, "reason": reasons})[bad]
    return seen[~bad].reset_index(drop=True), conform(rejected, REJECTED_DTYPES)


def _look(row: dict[str, Any], roots: Roots, min_duration_s: float) -> dict[str, Any]:
    """Facts of one sample, or the reason why it cannot be used."""
    try:
        if row["modality"] == "text":
            text = read_text(row["text"], row["sample_id"])
            return {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        data = roots.bytes(row["source"], row["path"])
        facts = LOOKS[row["modality"]](data, row["path"], min_duration_s)
    except UnreadableSampleError as error:
        return {"reason": error.reason}
    return facts | {"sha256": hashlib.sha256(data).hexdigest()}


def _look_at_image(data: bytes, path: str, _min_duration_s: float) -> dict[str, Any]:
    height, width, _ = read_image(data, path).shape
    return {"width": width, "height": height}


def _look_at_speech(data: bytes, path: str, min_duration_s: float) -> dict[str, Any]:
    sound, sample_rate = decode_speech(data, path)
    duration_s = len(sound) / sample_rate
    if duration_s < min_duration_s:
        raise UnreadableSampleError(
            path, f"{duration_s:.2f} s, shorter than ingestion.min_duration_s = {min_duration_s}"
        )
    if not sound.any():
        raise UnreadableSampleError(path, "the sound is silent: every sample is zero")
    return {"duration_s": duration_s, "sample_rate": sample_rate}


LOOKS: dict[str, Callable[[bytes, str, float], dict[str, Any]]] = {"image": _look_at_image, "speech": _look_at_speech}


def _check_share(candidates: pd.DataFrame, reasons: pd.Series, max_share: float) -> None:
    names = candidates["path"].fillna(candidates["sample_id"])
    for source, of_source in reasons.groupby(candidates["source"]):
        unusable = of_source.dropna()
        share = len(unusable) / len(of_source)
        if share > max_share:
            raise SamplesError(
                f"{source}: {share:.1%} of its samples cannot be used, more than ingestion.max_rejected_share = "
                f"{max_share:.1%}. The first is {names[unusable.index[0]]}: {unusable.iloc[0]}. Repair the files, or "
                "raise the share"
            )
