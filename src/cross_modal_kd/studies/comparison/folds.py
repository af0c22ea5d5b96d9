"""Every arm over all folds: each cluster is tested once, scores are pooled (imports torch: reached from nodes only)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import QualityConfig, TeacherConfig, WeightConfig
from cross_modal_kd.evaluation import Fold, Protocol, make_protocol, pooled_metrics, side_by_side
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle, own_projection
from cross_modal_kd.quality import sample_weights
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.training import Method, prepare_fold

KINDS = ("mlp", "pca")


def fold_contexts(
    context: Context,
    tables: Sequence[pd.DataFrame],
    quality_measures: pd.DataFrame,
    blocks: tuple[QualityConfig, TeacherConfig],
    store: Path,
    embedding_cache: Path,
) -> list[Context]:
    """The context of every fold, each with qualities, a teacher and projections of its own training split.

    Args:
        context: of the first fold, the split as it is.
        tables: the samples as they are split in each of the others.
        quality_measures: of all samples.
        blocks: how qualities are ranked, and the teacher.
        store: of the comparison; the teachers and the projections of the folds lie in its ``folds``.
        embedding_cache: of the teacher's embeddings, which a pretrained teacher shares with the first fold.

    Returns:
        One more than there are tables, the given one first.
    """
    about, (quality, teacher) = context.configuration, blocks
    method = Method(
        about.task, about.sources, about.inputs, quality, teacher, about.projection, about.student, about.training
    )
    found = [context]
    for number, samples in enumerate(tables, start=2):
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
        )
        found.append(own)
    return found


def measure_over_folds(
    contexts: Sequence[Context], outcomes: Sequence[Sequence[Outcome]], resampling: Mapping[str, Any]
) -> list[MetricSet]:
    """The metrics of every training of the grid over all folds, in their order.

    Args:
        contexts: of each fold.
        outcomes: of each fold, those of the same grid in the same order; the training samples that the first of a fold
            is embedded at are those of all.
        resampling: ``bootstrap`` (resamples) and ``level`` of the intervals, in place of the evaluation's.

    Returns:
        What ``pooled_metrics`` gives for each arm, projection and seed.
    """
    evaluation = contexts[0].configuration.evaluation.model_copy(update=dict(resampling))
    embedded = [fold[0].embeddings for fold in outcomes]

    def through(projections: Sequence[ModelBundle]) -> list[Protocol]:
        folds = zip(contexts, projections, embedded, strict=True)
        return side_by_side(
            [
                make_protocol(
                    fold.samples, fold.task, evaluation, fold.trials, fold.teacher_embeddings, projection, table
                )
                for fold, projection, table in folds
            ]
        )

    protocols = {kind: through([fold.projections[kind] for fold in contexts]) for kind in KINDS}
    found = []
    for same in progress_bar(list(zip(*outcomes, strict=True)), desc="measuring the arms", leave=False):
        students = [outcome.student for outcome in same]
        moved = [own for student in students if (own := own_projection(student)) is not None]
        measured_in = through(moved) if moved else protocols[same[0].job.config.projection]
        parts = zip(measured_in, students, same, strict=True)
        found.append(pooled_metrics([Fold(protocol, student, each.embeddings) for protocol, student, each in parts]))
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
