"""A study over all folds: each cluster is tested once, scores are pooled (imports torch: reached from nodes only)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import ConfigError, IngestionConfig, QualityConfig, TeacherConfig, WeightConfig
from cross_modal_kd.evaluation import Fold, Protocol, make_protocol, pooled_metrics, side_by_side
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle, own_projection
from cross_modal_kd.quality import sample_weights
from cross_modal_kd.samples import EmbeddingTable, deal_folds
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.studies.measure import Embeddings, of_kind
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import Method, prepare_fold

KINDS = ("mlp", "pca")


def other_folds(
    context: Context,
    ingestion: IngestionConfig,
    quality: QualityConfig,
    teacher: TeacherConfig,
    quality_measures: pd.DataFrame,
    store: Path,
    embedding_cache: Path,
) -> list[Context]:
    """Every fold of ``evaluation.folds`` but the first, each with a teacher and projections of its own training split.

    Args:
        context: of the first fold, the split as it is.
        ingestion: the shares of training and dev, and the seed of the draws.
        quality: how qualities are ranked.
        teacher: its encoder, and its training where it is trained.
        quality_measures: of all samples.
        store: of the study; the teachers and the projections of the folds lie in its ``folds``.
        embedding_cache: of the teacher's embeddings, which a pretrained teacher shares with the first fold.

    Returns:
        One less than there are folds, in their order.

    Raises:
        ConfigError: there is one fold alone.
    """
    about = context.configuration
    if about.evaluation.folds == 1:
        raise ConfigError("evaluation.folds: expected 3 or more, found 1: a study is to go over folds (over_folds)")
    folds, design = about.evaluation.folds, kind_of(about.task).design
    method = Method(
        about.task, about.sources, about.inputs, quality, teacher, about.projection, about.student, about.training
    )
    found = []
    for number, samples in enumerate(deal_folds(context.samples, about.task, design, ingestion.split, folds)[1:], 2):
        folder = store / "folds" / f"fold-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        fold = prepare_fold(samples, quality_measures, method, KINDS, folder, embedding_cache)
        own = replace(
            context,
            samples=samples,
            teacher_embeddings=fold.teacher_embeddings,
            projection_mlp=fold.projections["mlp"],
            projection_pca=fold.projections["pca"],
            sample_weights=sample_weights(samples, fold.scores, about.task, WeightConfig()),
            teacher_model=fold.teacher_model,
        )
        found.append(own)
    return found


@dataclass(frozen=True)
class FoldTrainings:
    """The trainings of one fold, and what they are measured with: see ``measure``.

    Attributes:
        context: of the fold; its samples and trials are measured on.
        outcomes: those of the same grid, in the same order in every fold.
        teacher: embeddings that students are matched with.
        projections: by kind, at least those that the arms name.
        embeddings: of an outcome, in place of those that it has kept.
    """

    context: Context
    outcomes: Sequence[Outcome]
    teacher: EmbeddingTable
    projections: Mapping[str, ModelBundle]
    embeddings: Embeddings | None = None


def measure_over_folds(folds: Sequence[FoldTrainings], resampling: Mapping[str, Any]) -> list[MetricSet]:
    """The metrics of every training of the grid over all folds, in their order.

    Args:
        folds: one for each; the training samples that the first outcome of a fold is embedded at are those of all.
        resampling: ``bootstrap`` (resamples) and ``level`` of the intervals, in place of the evaluation's.

    Returns:
        What ``pooled_metrics`` gives for each arm, projection and seed.
    """
    evaluation = folds[0].context.configuration.evaluation.model_copy(update=dict(resampling))
    embedded = [fold.outcomes[0].embeddings for fold in folds]

    def through(projections: Sequence[ModelBundle]) -> list[Protocol]:
        return side_by_side(
            [
                make_protocol(
                    fold.context.samples,
                    fold.context.task,
                    evaluation,
                    fold.context.trials,
                    fold.teacher,
                    projection,
                    table,
                )
                for fold, projection, table in zip(folds, projections, embedded, strict=True)
            ]
        )

    protocols = {kind: through([fold.projections[kind] for fold in folds]) for kind in folds[0].projections}
    found = []
    for same in progress_bar(
        list(zip(*(fold.outcomes for fold in folds), strict=True)), desc="measuring the arms", leave=False
    ):
        students = [outcome.student for outcome in same]
        moved = [own for student in students if (own := own_projection(student)) is not None]
        measured_in = through(moved) if moved else of_kind(protocols, same[0].job.config.projection)
        tables = [
            fold.embeddings(each) if fold.embeddings else each.embeddings
            for fold, each in zip(folds, same, strict=True)
        ]
        found.append(pooled_metrics([Fold(*each) for each in zip(measured_in, students, tables, strict=True)]))
    return found


def over_folds(outcomes: Sequence[Sequence[Outcome]]) -> list[Outcome]:
    """Each training of the grid as one: what its students of all folds cost, and how they ended, on average.

    Args:
        outcomes: of each fold, those of the same grid in the same order.

    Returns:
        The outcomes of the first fold, whose metrics are means over the folds, and ``train_seconds`` the sum.
    """
    found = []
    for same in zip(*outcomes, strict=True):
        known = [name for name in same[0].metrics if all(name in each.metrics for each in same)]
        metrics = {name: float(np.mean([each.metrics[name] for each in same])) for name in known}
        metrics["train_seconds"] = sum(each.metrics["train_seconds"] for each in same)
        found.append(replace(same[0], metrics=metrics))
    return found
