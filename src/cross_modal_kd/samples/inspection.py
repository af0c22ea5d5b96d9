"""Look at every sample once: can it be decoded, how long or large is it, what is its digest."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pandas as pd

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import IngestionConfig
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.records import as_records
from cross_modal_kd.samples.schema import DTYPES, REJECTED_DTYPES, conform

Look = Callable[[Mapping[str, Any]], dict[str, Any]]


def inspect_rows(candidates: pd.DataFrame, look: Look, ingestion: IngestionConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The candidates that can be used, with what a look at each tells, and the rejected.

    Args:
        candidates: rows of the samples table, not yet looked at.
        look: a row -> the columns that it fills (``sha256``, ``duration_s``, ...); raises UnreadableSampleError for a
            sample that is of no use. It is called on ``ingestion.workers`` threads.
        ingestion: threads, and how many may be rejected.

    Returns:
        The usable rows of the samples table, and (source, path, reason) of the others.

    Raises:
        SamplesError: a file is missing, or more than ``ingestion.max_rejected_share`` of a source cannot be used.
    """
    rows = as_records(candidates)
    with ThreadPoolExecutor(ingestion.workers) as pool:
        found = list(
            progress_bar(
                pool.map(partial(_facts, look), rows),
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


def _facts(look: Look, row: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of one sample, or the reason why it cannot be used."""
    try:
        return look(row)
    except UnreadableSampleError as error:
        return {"reason": error.reason}


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
