"""Every source of a task: its candidates, or all that is wrong with the sources at once."""

from typing import NamedTuple

import pandas as pd

from cross_modal_kd.config import IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import (
    REJECTED_DTYPES,
    ListingError,
    Roots,
    SamplesError,
    conform,
    first_few,
    keep_labels,
)
from cross_modal_kd.sources.chimeric import make_chimeric
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.registry import layout_of
from cross_modal_kd.storage import misread


class Listed(NamedTuple):
    """Rows of the samples table that may be used, and what the layouts passed over."""

    candidates: pd.DataFrame
    passed_over: pd.DataFrame


class Counted(NamedTuple):
    """What ``Listed`` holds, and counts of published sets."""

    candidates: pd.DataFrame
    passed_over: pd.DataFrame
    counts: pd.DataFrame


def read_sources(task: TaskConfig, sources: SourcesConfig, ingestion: IngestionConfig) -> Listed:
    """Candidate rows of every source in the task's two modalities, and what the layouts passed over with its reason.

    Args:
        task: as ``count_sources`` takes it.
        sources: as ``count_sources`` takes it.
        ingestion: as ``count_sources`` takes it.

    Returns:
        What ``count_sources`` gives, without the counts.
    """
    found = count_sources(task, sources, ingestion)
    return Listed(found.candidates, found.passed_over)


def count_sources(task: TaskConfig, sources: SourcesConfig, ingestion: IngestionConfig) -> Counted:
    """What ``read_sources`` gives, and how much of published sets is there.

    Args:
        task: its modalities; whether it is chimeric.
        sources: layout, root and options of each source.
        ingestion: ``max_labels`` that are kept, and the split's seed by which they are drawn.

    Returns:
        Rows of the samples table by sample_id, not yet looked at (no digest, no size); source, path and reason of
        the others; and counts of published sets.

    Raises:
        ListingError: sources are not what their layouts expect: all that are not; or a modality of the task has no
            sample, or a sample id occurs twice.
    """
    read = _listings(sources)
    try:
        return _usable(read, task, sources, ingestion)
    except SamplesError as error:
        raise ListingError([str(error)], *_joined(read)) from error


def _usable(read: list[Listing], task: TaskConfig, sources: SourcesConfig, ingestion: IngestionConfig) -> Counted:
    every = pd.concat([found.rows for found in read], ignore_index=True)
    rows = every[every["modality"].isin([task.student, task.teacher])]
    rejected = [found.rejected for found in read]
    if task.chimeric:
        rows, left_over, _ = make_chimeric(rows, task, ingestion)
        rejected.append(left_over)
    candidates, passed_over = keep_labels(rows, task, ingestion), conform(pd.concat(rejected), REJECTED_DTYPES)
    _check_given(every, candidates, passed_over, task, sources)
    _check_ids(candidates)
    counts = pd.concat([found.counts for found in read], ignore_index=True)
    return Counted(candidates.sort_values("sample_id", ignore_index=True), passed_over, counts)


def _listings(sources: SourcesConfig) -> list[Listing]:
    """What each layout finds. Raises ListingError, with what was found, where some cannot be listed."""
    roots, read, errors = Roots(sources, originals=True), [], []
    for name, source in sources.root.items():
        try:
            if reason := misread(source.root):
                raise SamplesError(f"sources.{name}.root: {reason}")
            read.append(layout_of(name, source.layout)(name, roots, source.options))
        except SamplesError as error:
            errors.append(str(error))
    if errors:
        raise ListingError(errors, *_joined(read))
    return read


def _joined(read: list[Listing]) -> list[pd.DataFrame]:
    """Rows, rejected and counts of all."""
    return [pd.concat(tables, ignore_index=True) for tables in zip(listing([]), *read, strict=True)]


def _check_given(
    every: pd.DataFrame, kept: pd.DataFrame, passed_over: pd.DataFrame, task: TaskConfig, sources: SourcesConfig
) -> None:
    """SamplesError for a modality of the task without a sample, with what each source gives and what gives that one."""
    lacking = [role for role in ("student", "teacher") if not (kept["modality"] == getattr(task, role)).any()]
    if not lacking:
        return
    given = every.groupby("source")["modality"].unique()
    gives = [
        f"{name} ({source.layout}, {source.root}) gives {', '.join(sorted(given.get(name, []))) or 'nothing'}"
        for name, source in sources.root.items()
    ]
    asked = [f"{modality} samples, which task.{role} asks for" for role in lacking if (modality := getattr(task, role))]
    how = [_what_gives(getattr(task, role)) for role in lacking]
    found = first_few((passed_over["path"] + ": " + passed_over["reason"]).tolist(), 3)
    passed = f". {len(passed_over)} were passed over: {found}" if len(passed_over) else ""
    raise SamplesError(
        f"no source gives {' or '.join(asked)}: {'; '.join(gives)}. Add {' and '.join(how)}, or correct "
        f"{' and '.join(f'task.{role}' for role in lacking)}{passed}"
    )


def _what_gives(modality: str) -> str:
    """What one adds to a source for samples of a modality, in words."""
    if endings := modality_of(modality).endings:
        return f"<label>/<file>{', '.join(endings)} to a source of the layout folder"
    return f"a captions.csv (path, text) to a source of the layout folder or an option that gives {modality} (texts)"


def _check_ids(candidates: pd.DataFrame) -> None:
    repeated = candidates.loc[candidates["sample_id"].duplicated(), "sample_id"].unique()
    if len(repeated):
        raise SamplesError(f"{len(repeated)} sample ids occur twice, the first is {repeated[0]!r}; look at its source")
