"""Look at every sample once: can it be decoded, how long or large is it, what is its digest."""

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pandas as pd

from cross_modal_kd.compute import LOCAL, Engine, progress_bar
from cross_modal_kd.config import IngestionConfig
from cross_modal_kd.samples.errors import TooManyRejectedError, UnreadableSampleError
from cross_modal_kd.samples.kept import Kept
from cross_modal_kd.samples.records import as_records
from cross_modal_kd.samples.schema import DTYPES, REJECTED_DTYPES, conform

logger = logging.getLogger(__name__)

BLOCK = 1024
"""Rows that are looked at together: so many are Python objects at a time."""
LARGEST_BATCH = 16
TASK = 512
"""Rows of a task, where tasks look at them."""

Look = Callable[[Mapping[str, Any]], dict[str, Any]]


def inspect_rows(
    candidates: pd.DataFrame,
    look: Look,
    ingestion: IngestionConfig,
    kept: Kept | None = None,
    engine: Engine = LOCAL,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The candidates that can be used, with what a look at each tells, and the rejected.

    Args:
        candidates: rows of the samples table, not yet looked at.
        look: a row -> the columns that it fills (``sha256``, ``duration_s``, ...); raises UnreadableSampleError for a
            sample that is of no use. It is called on ``ingestion.workers`` threads, of each task where there are any.
        ingestion: threads, and how many may be rejected.
        kept: what earlier looks have told, which is taken for files that have not changed since; what this one tells is
            added as it goes. What was rejected is looked at each time. None looks at everything.
        engine: who looks.

    Returns:
        The usable rows of the samples table, and (source, path, reason) of the others. Memory: O(N), in columns.

    Raises:
        SamplesError: a file is missing, or more than ``ingestion.max_rejected_share`` of a source cannot be used.
    """
    rows = candidates.reset_index(drop=True)
    known = pd.DataFrame(index=rows.index[:0]) if kept is None else kept.known(rows)
    if len(known):
        files = int(rows["path"].notna().sum())
        logger.info("%d of %d files have not changed since they were looked at", len(known), files)
    rest = rows.drop(index=known.index) if len(known) else rows
    parts = [known]
    bar = progress_bar(
        total=len(rows),
        initial=len(known),
        desc="Looking at every sample",
        unit="",
        mininterval=1.0,
        disable=rest.empty,
    )
    with bar:
        for found in engine.over(partial(_looked_at, look, ingestion.workers), rest, TASK, bar.update):
            parts.append(found)
            if kept is not None:
                usable = parts[-1]["reason"].isna()
                kept.keep(parts[-1].loc[usable].drop(columns="reason"))
    if kept is not None:
        kept.write()
    facts = pd.concat(parts)
    del parts, rest, known, kept
    if not facts.index.equals(rows.index):
        facts = facts.reindex(rows.index)
    if "reason" not in facts:
        facts["reason"] = pd.Series(None, index=rows.index, dtype="str")
    reasons = facts.pop("reason")
    seen = conform(pd.concat([rows.drop(columns=facts.columns, errors="ignore"), facts], axis=1), DTYPES)
    bad = reasons.notna()
    paths = rows["path"].fillna(rows["sample_id"])
    rejected = pd.DataFrame({"source": rows["source"], "path": paths, "reason": reasons})[bad]
    _check_share(rows, reasons, ingestion.max_rejected_share, rejected)
    usable_rows = seen[~bad].reset_index(drop=True) if bad.any() else seen
    return usable_rows, conform(rejected, REJECTED_DTYPES)


def _looked_at(
    look: Look, workers: int, rows: pd.DataFrame, advance: Callable[[int], object]
) -> Iterator[pd.DataFrame]:
    """What a look at each row tells, a block of them at a time."""
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(rows), BLOCK):
            block = rows.iloc[start : start + BLOCK]
            found: list[dict[str, Any]] = []
            for batch in pool.map(partial(_facts, look), _batches(as_records(block), workers)):
                found += batch
                advance(len(batch))
            yield _typed(found, block.index)


def _typed(found: list[dict[str, Any]], index: pd.Index) -> pd.DataFrame:
    """Facts as columns of the samples table, and the column ``reason``."""
    table = pd.DataFrame(found, index=index)
    reasons = table.pop("reason") if "reason" in table else pd.Series(None, index=index)
    return table.astype({str(name): DTYPES[str(name)] for name in table}).assign(reason=reasons.astype("str"))


def _batches(rows: list[dict[str, Any]], workers: int) -> list[list[dict[str, Any]]]:
    """Rows that one thread takes at a time: so few that all threads have some, not one by one where there are many."""
    size = max(1, min(LARGEST_BATCH, len(rows) // (8 * workers)))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _facts(look: Look, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Facts of each sample, or the reason why it cannot be used."""
    found = []
    for row in rows:
        try:
            found.append(look(row))
        except UnreadableSampleError as error:
            found.append({"reason": error.reason})
    return found


def _check_share(candidates: pd.DataFrame, reasons: pd.Series, max_share: float, rejected: pd.DataFrame) -> None:
    if reasons.isna().all():
        return
    names = candidates["path"].fillna(candidates["sample_id"])
    for source, of_source in reasons.groupby(candidates["source"]):
        unusable = of_source.dropna()
        share = len(unusable) / len(of_source)
        if share > max_share:
            raise TooManyRejectedError(
                f"{source}: {share:.1%} of its samples cannot be used, more than ingestion.max_rejected_share = "
                f"{max_share:.1%}. The first is {names[unusable.index[0]]}: {unusable.iloc[0]}. Repair the files, or "
                "raise the share",
                rejected,
            )
