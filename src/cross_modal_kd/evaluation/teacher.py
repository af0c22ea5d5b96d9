"""How good the projected teacher is by itself on the test split: what the student might at best take over."""

import hashlib
from collections.abc import Sequence

import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation.subset import over_clusters, subset_of
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle, project
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.tasks import ProjectedTeacher, kind_of


def projected_teacher(
    samples: pd.DataFrame, task: TaskConfig, embeddings: EmbeddingTable, projection: ModelBundle
) -> ProjectedTeacher:
    """The teacher on the test split.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality.
        embeddings: raw, of every test sample of that modality.
        projection: into the student's space.

    Returns:
        Its test samples, indexed from 0, with what projects them; there may be none.
    """
    rows = split_rows(samples, task.teacher, "test").reset_index(drop=True)
    return ProjectedTeacher(rows, embeddings, projection)


def in_students_space(
    samples: pd.DataFrame, task: TaskConfig, embeddings: EmbeddingTable, projection: ModelBundle
) -> EmbeddingTable:
    """t = normalise(g(x)) of the teacher's dev and test samples.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality.
        embeddings: raw, of every sample of that modality.
        projection: g, into the student's space.

    Returns:
        (N, d) unit vectors by sample id; the fingerprint is that of the numbers.
    """
    ids = [each for split in ("dev", "test") for each in split_rows(samples, task.teacher, split)["sample_id"]]
    values = project(projection, embeddings.at(ids))
    return EmbeddingTable(ids, values, hashlib.sha256(values.tobytes()).hexdigest())


def teacher_metrics(teachers: Sequence[ProjectedTeacher], task: TaskConfig, evaluation: EvaluationConfig) -> MetricSet:
    """The metric of the kind of task, of the projected teacher by itself.

    Args:
        teachers: on the test split; of each fold, where there are several, whose scores are pooled.
        task: its kind, and the teacher's modality.
        evaluation: resamples, ``seed`` and ``max_impostors``.

    Returns:
        One metric, or why it is not defined.
    """
    kind = kind_of(task)
    if any(teacher.rows.empty for teacher in teachers):
        return MetricSet(undefined={kind.metric: f"the test split has no {task.teacher} sample"})
    subsets = [subset_of(teacher.rows, task, evaluation, "test") for teacher in teachers]
    if len(subsets) > 1:
        subsets = over_clusters(subsets, evaluation, "test")
    found = kind.teacher_metric(list(zip(subsets, teachers, strict=True)), evaluation)
    return found.resting_on(subsets[0].evidence())
