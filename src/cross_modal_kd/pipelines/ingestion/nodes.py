"""Raw files to the samples table: list, look at every one, split."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.compute import engine_of
from cross_modal_kd.config import ComputeConfig, IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.modalities import inspect_row, modality_of
from cross_modal_kd.samples import (
    REJECTED_DTYPES,
    DataPage,
    Kept,
    ListingError,
    Roots,
    SamplesError,
    TooManyRejectedError,
    asked_for,
    assign_splits,
    check_samples,
    conform,
    count_shares,
    drawn_split,
    inspect_rows,
    join_short,
    join_unlabelled,
    pair,
    part_unlabelled,
    read_frozen,
    reject_conflicting,
    reject_parted,
    require_differences,
    require_some,
    summarise_splits,
    tell,
    train_classes,
    update_shards,
)
from cross_modal_kd.sources import count_sources, untold
from cross_modal_kd.sources import read_sources as read_sources  # scripts take the stages from here
from cross_modal_kd.tasks import kind_of, require_words

logger = logging.getLogger(__name__)


class ListedForPage(NamedTuple):
    """Candidates and what was passed over, of ``read_sources``; and the page, which has the counts."""

    candidates: pd.DataFrame
    passed_over: pd.DataFrame
    page: DataPage


class Inspected(NamedTuple):
    """Candidates that can be used, and all that were set apart so far."""

    inspected_samples: pd.DataFrame
    unusable_samples: pd.DataFrame


class Split(NamedTuple):
    """The samples table, everything rejected, and counts."""

    samples: pd.DataFrame
    rejected_samples: pd.DataFrame
    split_summary: pd.DataFrame


class SavedSplit(NamedTuple):
    """What ``Split`` holds, and the split of each cluster."""

    samples: pd.DataFrame
    rejected_samples: pd.DataFrame
    split_summary: pd.DataFrame
    drawn_split: pd.DataFrame


HERE = ComputeConfig()  # this process


def list_and_tell(
    task: TaskConfig, sources: SourcesConfig, ingestion: IngestionConfig, data_page: Path | None = None
) -> ListedForPage:
    """What ``read_sources`` gives; where it fails, a page says what there is.

    Args:
        task: as ``read_sources`` takes it.
        sources: as ``read_sources`` takes it.
        ingestion: as ``read_sources`` takes it.
        data_page: folder of the page; None writes none.

    Returns:
        As ``read_sources``, and the page, to be written when more is known.
    """
    try:
        listed = count_sources(task, sources, ingestion)
    except ListingError as error:
        DataPage(data_page, task, error.counts).write(error.rows, error.rejected, error.errors)
        raise
    return ListedForPage(listed.candidates, listed.passed_over, DataPage(data_page, task, listed.counts))


def inspect_samples(
    candidates: pd.DataFrame,
    passed_over: pd.DataFrame,
    sources: SourcesConfig,
    ingestion: IngestionConfig,
    compute: ComputeConfig = HERE,
    inspection_cache: Path | None = None,
) -> Inspected:
    """Decode every candidate once: its digest, length and size; what cannot be used is set apart with its reason.

    A file that has not changed since an earlier run has looked at it (its size and the time of its last change) is not
    read again.

    One file under two labels cannot be used either, unless ``ingestion.conflicting_copies`` is ``keep``. With
    ``ingestion.join_s`` short sounds of training become longer ones, which are looked at in turn.

    Args:
        candidates: of ``read_sources``.
        passed_over: of ``read_sources``.
        sources: where the files lie.
        ingestion: threads, shortest sound, ``join_s``, and the share of a source that may be rejected.
        compute: who looks.
        inspection_cache: folder of what earlier runs have seen, also one that was killed; written to. None looks at
            everything.

    Returns:
        The rows that can be used, with sha256, duration_s (seconds), width and height (pixels) and sample_rate (Hz) as
        their modality has them; and source, path and reason of all others so far.
    """
    roots = Roots(sources, originals=True)

    def look(row: Mapping[str, Any]) -> dict[str, Any]:
        return inspect_row(row, roots, ingestion)

    def looked_at(rows: pd.DataFrame, what: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        decides = _decides(what, candidates, ingestion)
        known = None if inspection_cache is None else Kept(inspection_cache, decides, roots.stamps)
        return inspect_rows(rows, look, ingestion, known, engine_of(compute))

    inspected, unusable = looked_at(candidates, "inspection")
    kept, conflicting = reject_conflicting(inspected, ingestion.conflicting_copies)
    rejected = [passed_over, unusable, conflicting]
    if ingestion.join_s is not None:
        rest, joined = join_short(kept, ingestion.join_s)
        seen, lost = looked_at(joined, "joined")
        kept, rejected = pd.concat([rest, seen], ignore_index=True), [*rejected, lost]
    return Inspected(kept, unusable_samples=pd.concat(rejected, ignore_index=True))


def _decides(what: str, candidates: pd.DataFrame, ingestion: IngestionConfig) -> str:
    """What a look at a file depends on beside the file."""
    versions = {name: modality_of(name).version for name in sorted(candidates["modality"].unique())}
    return json.dumps([what, versions, ingestion.min_duration_s])


def inspect_and_tell(
    candidates: pd.DataFrame,
    passed_over: pd.DataFrame,
    sources: SourcesConfig,
    ingestion: IngestionConfig,
    compute: ComputeConfig,
    page: DataPage,
    inspection_cache: Path | None = None,
) -> Inspected:
    """What ``inspect_samples`` gives; where it rejects too many, a page says which.

    Args:
        candidates: as ``inspect_samples`` takes it.
        passed_over: as ``inspect_samples`` takes it.
        sources: as ``inspect_samples`` takes it.
        ingestion: as ``inspect_samples`` takes it.
        compute: who looks.
        page: of ``list_and_tell``.
        inspection_cache: as ``inspect_samples`` takes it.

    Returns:
        As ``inspect_samples``.
    """
    try:
        return inspect_samples(candidates, passed_over, sources, ingestion, compute, inspection_cache)
    except TooManyRejectedError as error:
        page.write(candidates, pd.concat([passed_over, error.rejected]), [str(error)])
        raise


def split_samples(
    inspected: pd.DataFrame, unusable: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig
) -> Split:
    """The samples with their splits, checked for leaks; everything rejected; a count of each split and modality.

    Samples without a label are trained on by their pairs, and rejected where there is none (``join_unlabelled``). Where
    ``ingestion.without_partner`` is ``reject``, training samples of the student without a teacher sample are rejected
    too.

    Args:
        inspected: the rows that can be used, of ``inspect_samples``.
        unusable: the others, of ``inspect_samples``.
        task: its kind, which says what is dealt to a split as one, and its pairing.
        ingestion: shares and seed of the splits, and ``without_partner``.

    Returns:
        The samples table by sample_id; source, path and reason of everything rejected; and the table of
        ``summarise_splits``.

    Raises:
        SamplesError: no sample has a label, the splits are not sound for the task (``check_samples``), or the training
            samples of a modality are all the same.
        ConfigError: no training sample has a label, and nothing names the classes of a classification.
    """
    design = kind_of(task).design
    require_some(inspected, unusable, task)
    samples, others = part_unlabelled(inspected)
    require_differences(samples, task)  # before the split, which copies of one file cannot fill
    samples = samples.assign(split=assign_splits(samples, design, ingestion.split, read_frozen(ingestion.split)))
    samples, parted = reject_parted(samples)
    samples, unlabelled = join_unlabelled(samples, others, task)
    rejected = pd.concat([unusable, parted, unlabelled])
    if ingestion.without_partner == "reject":
        alone = (samples["split"] == "train") & samples["sample_id"].isin(pair(samples, task).without_partner)
        reason = f"no {task.teacher} sample beside it in training (task.pairing: {', '.join(task.levels)})"
        rejected = pd.concat([rejected, samples.loc[alone, ["source", "path"]].assign(reason=reason)])
        samples = samples[~alone]
    check_samples(samples, task, design)
    if not train_classes(samples, task):
        require_words(task)
    require_differences(samples, task)
    logger.info("%d samples can be used, %d rejected%s", len(samples), len(rejected), _first(rejected))
    pairing = pair(samples, task)
    if unpaired := pairing.without_student:
        logger.warning(
            "with no %s sample beside it (it was rejected, or there never was one), so that it serves the teacher "
            "alone: %d of the %s samples, the first is %s",
            *(task.student, len(unpaired), task.teacher, unpaired[0]),
        )
    tell(samples, pairing, task, count_shares(samples, task, design, asked_for(inspected, ingestion.split)))
    rejected = conform(rejected, REJECTED_DTYPES).sort_values(["source", "path", "reason"], ignore_index=True)
    kept = conform(samples).sort_values("sample_id", ignore_index=True)
    return Split(samples=kept, rejected_samples=rejected, split_summary=summarise_splits(samples, pairing, task))


def split_and_save(
    inspected: pd.DataFrame,
    unusable: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    ingestion: IngestionConfig,
    page: DataPage | None = None,
) -> SavedSplit:
    """What ``split_samples`` gives, and the split of each cluster as ``ingestion.split.frozen`` takes it back.

    Where a source has shards, they are brought up to date with the samples.

    Args:
        inspected: the rows that can be used, of ``inspect_samples``.
        unusable: the others, of ``inspect_samples``.
        task: as ``split_samples`` takes it.
        sources: where shards lie, if anywhere.
        ingestion: as ``split_samples`` takes it; and ``shards``.
        page: of ``list_and_tell``, written also of a run that fails here; None writes none.

    Returns:
        The three tables of ``split_samples``; and cluster, split and seed, a row each cluster.
    """
    try:
        split = split_samples(inspected, unusable, task, ingestion)
    except SamplesError as error:
        if page is not None:
            page.write(inspected, unusable, [str(error)])
        raise
    if page is not None:
        shares = count_shares(split.samples, task, kind_of(task).design, asked_for(inspected, ingestion.split))
        page.write(split.samples, split.rejected_samples, (), inspected, split.split_summary, shares)
    update_shards(split.samples, sources, ingestion.shards.mb if ingestion.shards else None)
    drawn = drawn_split(split.samples[split.samples["label"].notna()], kind_of(task).design, ingestion.split.seed)
    return SavedSplit(*split, drawn_split=drawn)


def _first(rejected: pd.DataFrame) -> str:
    """The first of what was rejected, with its reason."""
    if not len(rejected):
        return ""
    path, reason = rejected.iloc[0][["path", "reason"]]
    return f" (rejected_samples; the first: {path!a}, {str(reason)[:200]!a})"


def list_ahead(
    task: TaskConfig, sources: SourcesConfig, ingestion: IngestionConfig, data_page: Path | None = None
) -> pd.DataFrame:
    """The candidates of ``read_sources`` for who wants to know before it runs; what sources log is left to that run.

    Args:
        task: as ``read_sources`` takes it.
        sources: as ``read_sources`` takes it.
        ingestion: as ``read_sources`` takes it.
        data_page: folder of the page that is written where this fails; None writes none.

    Returns:
        Rows of the samples table, not yet looked at.
    """
    with untold():
        return list_and_tell(task, sources, ingestion, data_page).candidates
