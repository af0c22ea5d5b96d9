"""Every metric of one student: what it is asked for, how it lies beside the teacher, and its gap to training."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation.legend import SEEN
from cross_modal_kd.evaluation.matching import Gallery, matching_metrics, teacher_gallery
from cross_modal_kd.evaluation.subset import subset_of
from cross_modal_kd.evaluation.teacher import projected_teacher
from cross_modal_kd.metrics import Metric, MetricSet, weakest
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.tasks import ProjectedTeacher, StudentsOnTest, Subset, kind_of


@dataclass(frozen=True)
class Protocol:
    """What all arms are measured on: the same samples, trials, gallery and resamples.

    test, train: the samples of the student that are measured; train is None where no training sample is.
    trials, train_trials: among them. unseen, seen: the projected teacher's items of the test and of the training split.
    teacher: on the test split, by itself.
    """

    task: TaskConfig
    evaluation: EvaluationConfig
    test: Subset
    trials: pd.DataFrame
    unseen: Gallery
    train: Subset | None
    train_trials: pd.DataFrame
    seen: Gallery
    teacher: ProjectedTeacher

    def on_test(self, students: Mapping[str, ModelBundle], embeddings: Mapping[str, EmbeddingTable]) -> StudentsOnTest:
        """Both students on the test samples and trials.

        Args:
            students: by arm, ``student_alone`` and ``distilled``.
            embeddings: by arm, of the test samples at least.

        Returns:
            What plots and the worst mistakes are made of.
        """
        return StudentsOnTest(self.test.rows, self.trials, students, embeddings)


def make_protocol(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    embedded: EmbeddingTable,
) -> Protocol:
    """The protocol; the training samples are those of ``embedded``.

    Args:
        samples: the table, with its splits.
        task: its kind, modalities and pairing.
        evaluation: resamples, seeds and numbers of trials.
        trials: among the student's test samples, as ``make_trials`` gives them.
        teacher_embeddings: raw, of every sample of the teacher's modality.
        projection: of the teacher, into the student's space.
        embedded: by a student; only its ids are read.

    Returns:
        What every student is measured on.
    """
    train = split_rows(samples, task.student, "train")
    train = train[train["sample_id"].isin(embedded.sample_ids)]
    galleries = [teacher_gallery(samples, task, split, teacher_embeddings, projection) for split in ("test", "train")]
    return Protocol(
        task=task,
        evaluation=evaluation,
        test=subset_of(split_rows(samples, task.student, "test"), task, evaluation, "test"),
        trials=trials,
        unseen=galleries[0],
        train=subset_of(train, task, evaluation, "train") if len(train) else None,
        train_trials=kind_of(task).draw_trials(train, evaluation.model_copy(update={"impostors": "any"})),
        seen=galleries[1],
        teacher=projected_teacher(samples, task, teacher_embeddings, projection),
    )


def student_metrics(protocol: Protocol, student: ModelBundle, embeddings: EmbeddingTable) -> MetricSet:
    """All metrics of one student; ``_seen`` is matching on training classes, ``_train`` and ``_gap`` diagnose.

    Args:
        protocol: what it is measured on.
        student: with its classifier.
        embeddings: its own, of the protocol's samples.

    Returns:
        Metrics by name, with their resamples and chance levels, and why others are not defined; without training
        samples in the protocol only those of the test split.
    """
    task, evaluation = protocol.task, protocol.evaluation
    values = embeddings.at(protocol.test.rows["sample_id"])
    found = kind_of(task).metrics(protocol.test, student, values, protocol.trials, evaluation)
    found |= matching_metrics(protocol.test, values, task, protocol.unseen, evaluation)
    found = found.resting_on(protocol.test.evidence())
    if protocol.train is None:
        return found
    return found | _on_training(found, protocol, protocol.train, student, embeddings)


def _on_training(
    found: MetricSet, protocol: Protocol, train: Subset, student: ModelBundle, embeddings: EmbeddingTable
) -> MetricSet:
    """Matching and the kind's metric on training samples, and how far they lie from those on test samples."""
    kind = kind_of(protocol.task)
    values = embeddings.at(train.rows["sample_id"])
    found |= matching_metrics(train, values, protocol.task, protocol.seen, protocol.evaluation).renamed(SEEN)
    found |= kind.train_metric(train, student, values, protocol.train_trials).renamed("_train")
    found = found.resting_on(train.evidence())
    ends = [kind.metric, f"{kind.metric}_train"]
    found |= _gap(found, f"{kind.metric}_gap", *(reversed(ends) if kind.larger_is_better else ends))
    return found | _gap(found, "distance_gap", "distance", f"distance{SEEN}")


def _gap(found: MetricSet, name: str, first: str, second: str) -> MetricSet:
    """first - second; their resamples are of different samples, so they are set beside each other as they come."""
    one, other = found.metrics.get(first), found.metrics.get(second)
    if one is None or other is None:
        return MetricSet(undefined={name: f"{first} or {second} is not defined"})
    evidence = weakest([one.evidence, other.evidence])
    return MetricSet({name: Metric(one.value - other.value, one.resampled - other.resampled, evidence)})


def make_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Pairs of the student's test samples, none where the kind of task has no trials.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        evaluation: ``max_impostors``, ``impostors`` and ``seed``.

    Returns:
        A row a trial, in the columns of ``tasks.trials``.
    """
    return kind_of(task).draw_trials(split_rows(samples, task.student, "test"), evaluation)
