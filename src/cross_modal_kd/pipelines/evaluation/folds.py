"""The nodes of ``evaluation.folds``: further folds, their students, and both students over all of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import (
    ArmsConfig,
    DistillationConfig,
    EvaluationConfig,
    IngestionConfig,
    InputConfig,
    ProjectionConfig,
    QualityConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TeacherConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of

# Kedro reads the hints when it loads the pipelines, and these types' rooms import torch
Method = Any  # training.Method
TrainedFolds = Any  # list[training.TrainedFold]
Protocol = Any  # evaluation.protocol.Protocol
Folds = Any  # evaluation.folds.Folds


def split_in_folds(
    samples: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig, evaluation: EvaluationConfig
) -> list:
    """The samples as they are split in every fold but the first, which is the table as it is.

    Args:
        samples: the table, with its splits.
        task: its kind, modalities and pairing.
        ingestion: the shares of training and dev, and the seed of the draws.
        evaluation: ``folds``.

    Returns:
        Tables, one less than there are folds: none where the split is measured alone.
    """
    from cross_modal_kd.samples import deal_folds

    return deal_folds(samples, task, kind_of(task).design, ingestion.split, evaluation.folds)[1:]


def gather_method(
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    quality: QualityConfig,
    teacher: TeacherConfig,
    projection: ProjectionConfig,
    student: StudentConfig,
    training: TrainingConfig,
) -> Method:
    """All that decides what is learnt from a samples table.

    Args:
        task: its kind, modalities and pairing.
        sources: where the files lie.
        inputs: how they are read.
        quality: which measures count.
        teacher: its encoder, and its training where it is trained.
        projection: shape and fit of the teacher's projection.
        student: its network.
        training: its length, steps and seed.

    Returns:
        The blocks as one (``training.Method``).
    """
    from cross_modal_kd.training import Method as Blocks

    return Blocks(task, sources, inputs, quality, teacher, projection, student, training)


def train_in_folds(
    fold_samples: list,
    quality_measures: pd.DataFrame,
    method: Method,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    fold_store: Path,
    embedding_cache: Path,
) -> TrainedFolds:
    """Both students of every fold but the first, each with a projection (and teacher, where trained) of the fold's own.

    Args:
        fold_samples: of ``split_in_folds``.
        quality_measures: of all samples.
        method: of ``gather_method``.
        arms: all arms.
        distillation: names the two that are compared, and says which labels are known.
        fold_store: folder where finished trainings are kept, so that the same is not trained again.
        embedding_cache: of the teacher's embeddings, which a pretrained teacher shares with the first fold.

    Returns:
        A trained fold (``training.TrainedFold``) for each table.
    """
    from cross_modal_kd.training import train_folds

    named = {"student_alone": distillation.baseline, "distilled": distillation.arm}
    chosen = {role: (name, arms.get(name)) for role, name in named.items()}
    method = replace(method, labelled=distillation.labelled)
    return train_folds(fold_samples, quality_measures, method, chosen, fold_store, embedding_cache)


def measure_over_folds(
    protocol: Protocol,
    trained_folds: TrainedFolds,
    method: Method,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
) -> Folds:
    """Both students over all folds, their scores pooled: nothing where the split is measured alone.

    Args:
        protocol: of the first fold, the split as it is.
        trained_folds: of ``train_in_folds``.
        method: of ``gather_method``.
        student_alone: the student alone, of the first fold.
        distilled: the distilled student, of the first fold.
        student_alone_embeddings: its own.
        distilled_embeddings: its own.

    Returns:
        Protocols and metrics (``evaluation.folds.Folds``).
    """
    from cross_modal_kd.evaluation import measure_folds

    first = {
        "student_alone": (student_alone, student_alone_embeddings),
        "distilled": (distilled, distilled_embeddings),
    }
    return measure_folds(protocol, first, trained_folds, method)
