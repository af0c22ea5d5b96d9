"""What a task's page is made of: the files of the reporting folder, each with its tables and plots."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.storage import read_csv
from cross_modal_kd.studies.results import tables
from cross_modal_kd.studies.results.tables import Table


@dataclass(frozen=True)
class Kind:
    """A kind of result, and how a page shows it.

    Attributes:
        name: by which findings look it up.
        title: of its section.
        files: pattern in the reporting folder; all files of a kind have the same columns.
        pipeline: that makes it.
        build: its tables, from the data of its files.
        lead: how to read it.
        keys: the columns that name a row in findings.
        seeds: the parameters that count for it, those that say what was spent among them.
        plots: patterns in the reporting folder.
        listed: whether a page says where it was not run.
    """

    name: str
    title: str
    files: str
    pipeline: str
    build: Callable[[Any], list[Table]]
    lead: str = ""
    keys: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    listed: bool = True


KINDS = (
    Kind(
        "comparison", "The arms side by side", "comparison.csv", "comparison", tables.comparison_tables,
        "All arms on the same data, split, seeds and budget. Differences are paired: below zero has fewer errors, a "
        "relative reduction above zero too. An arm that loses is in the table like the others.",
        ("arm", "projection"), ("evaluation.seed",),
        ("comparison_forest.png", "comparison_curves.png", "comparison_distances.png"),
    ),
    Kind(
        "metrics", "Student alone and distilled, one seed", "metrics.json", "distill", tables.metrics_tables,
        "Intervals resample concepts or speakers; they do not tell what another training seed would do.",
        (), ("training.seed", "evaluation.seed"), ("summary.png", "operating.png", "matching.png"),
    ),
    Kind(
        "regimes", "Regimes", "regimes/*.csv", "regimes", tables.regimes_tables,
        "Each arm against the baseline of its condition, the arm without a difference: the student alone, or, "
        "where nothing is labelled, SimCLR (of a classification another arm). The other arm is the one named in its "
        "column. Intervals resample concepts or speakers; they do not tell what other training seeds would do.",
        ("study", "condition", "arm", "projection"), ("evaluation.seed",), ("*_regime.png",),
    ),
    Kind(
        "spread", "Seeds and clusters apart", "*_regime_spread.csv", "regimes", tables.spread_tables,
        "Of the error, and of the share of another arm's errors that an arm removes: intervals of the mean over seeds "
        "when concepts (or speakers) are drawn again, of what other seeds would give (Student's t, so that few seeds "
        "make it wide), and of both together. Beside them the standard deviation of one training, of the mean over "
        "these seeds, and over other concepts.",
        ("study", "condition", "arm", "contrast"), ("evaluation.seed",), listed=False,
    ),
    Kind(
        "robustness", "Robustness", "robustness.csv", "robustness", tables.robustness_tables,
        "The same damage for every arm; differences are paired, below zero the distilled student has fewer errors.",
        ("arm", "projection", "kind", "level"), ("robustness.seed",), ("robustness.png", "robustness/*.png"),
    ),
    Kind(
        "tuning", "Search of the hyper-parameters", "tuning_trials.csv", "tuning", tables.tuning_tables,
        "The same number of trials for every arm.", ("labelled", "fold", "arm", "trial"),
        ("tuning.seed", "tuning.trials", "tuning.epochs", "tuning.repeats"),
    ),
    Kind(
        "quality_ordering", "Quality measures against known damage", "quality_ordering.csv", "quality_study",
        tables.ordering_tables,
        "No measure sees everything; a negative number says that damage passes for quality. Intervals resample single "
        "samples here.",
        ("modality", "measure", "degradation"), ("quality_study.seed",), ("quality_ordering.png",),
    ),
    Kind(
        "error_versus_discard", "Error versus discard", "error_versus_discard.csv", "quality_study",
        tables.discard_tables,
        "Does the error fall as the trials of the least quality are left out? A trial is as good as its worse sample.",
        ("measure", "share_left_out"), ("quality_study.seed", "training.seed"), ("error_versus_discard.png",),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A kind and what is there of it; without files it was not run.

    Attributes:
        kind: of result.
        files: those that match its pattern, sorted.
        plots: those that match, pattern by pattern.
        data: the rows of all files as one table; of JSON what the first file holds.
    """

    kind: Kind
    files: list[Path] = field(default_factory=list)
    plots: list[Path] = field(default_factory=list)
    data: Any = None


def read_sections(folder: Path) -> list[Section]:
    """Every kind, in the order of the page.

    Args:
        folder: of what was reported.

    Returns:
        A section for every one of ``KINDS``, without files where there are none.

    Raises:
        ValueError: a file cannot be read; the message names it, and the pipeline that makes it.
    """
    return [_read(folder, kind) for kind in KINDS]


def _read(folder: Path, kind: Kind) -> Section:
    files = sorted(folder.glob(kind.files))
    if not files:
        return Section(kind)
    plots = [plot for pattern in kind.plots for plot in sorted(folder.glob(pattern))]
    try:
        if kind.files.endswith(".json"):
            return Section(kind, files, plots, json.loads(files[0].read_text(encoding="utf-8")))
        return Section(kind, files, plots, pd.concat(map(read_csv, files), ignore_index=True))
    except ValueError as error:
        names = ", ".join(file.name for file in files)
        raise ValueError(
            f"{folder}: {names} cannot be read ({error}); make it again with kedro run --pipeline={kind.pipeline}"
        ) from error
