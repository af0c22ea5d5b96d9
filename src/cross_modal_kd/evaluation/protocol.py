"""Every metric of one student: what it is asked for, how it lies beside the teacher, and its gap to training."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation.few_shot import few_shot_metrics
from cross_modal_kd.evaluation.legend import SEEN
from cross_modal_kd.evaluation.matching import Gallery, matching_metrics, teacher_gallery
from cross_modal_kd.evaluation.open_vocabulary import named_classes, open_vocabulary_metrics
from cross_modal_kd.evaluation.subset import over_clusters, subset_of
from cross_modal_kd.evaluation.teacher import projected_teacher
from cross_modal_kd.metrics import Metric, MetricSet, weakest
from cross_modal_kd.models import ModelBundle, weights_of
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.tasks import Evaluated, ProjectedTeacher, StudentsOnTest, Subset, kind_of
from cross_modal_kd.tracking import fingerprint


@dataclass(frozen=True)
class Protocol:
    """What all arms are measured on: the same samples, trials, gallery and resamples.

    test, train: the samples of the student that are measured; train is None where no training sample is.
    trials, train_trials: among them. unseen, seen: the projected teacher's items of the test and of the training split.
    teacher: on the test split, by itself. other_tests: fingerprint of what further folds test.
    named: the test labels by their words; None where none name them, or training has seen them.
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
    other_tests: str = ""
    named: Gallery | None = None

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits of what the metrics of the test split are taken over.

        Two runs with the same ones have the same test samples, trials, galleries and resamples: their metrics can be
        set against each other, and resample by resample too. The teacher and the training samples do not count.
        """
        parts = [fingerprint(self.test.rows), fingerprint(self.trials), ",".join(map(str, self.unseen.keys))]
        about = [kind_of(self.task).name, self.task.pairing, self.evaluation.folds, self.other_tests, *parts]
        digest = hashlib.sha256(json.dumps(about).encode())
        digest.update(np.ascontiguousarray(self.test.weights).tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.test.rows)

    def on_test(self, students: Mapping[str, ModelBundle], embeddings: Mapping[str, EmbeddingTable]) -> StudentsOnTest:
        """Both students on the test samples and trials.

        Args:
            students: by arm, ``student_alone`` and ``distilled``.
            embeddings: by arm, of the test samples at least.

        Returns:
            What plots and the worst mistakes are made of.
        """
        return StudentsOnTest(self.test.rows, self.trials, students, embeddings)


def with_folds(protocol: Protocol, tables: Sequence[pd.DataFrame]) -> Protocol:
    """The protocol, whose fingerprint also tells what further folds test.

    Args:
        protocol: of the first fold.
        tables: the samples as they are split in the others; none where the split is measured alone.

    Returns:
        A copy; nothing else of it changes.
    """
    tests = [",".join(table.loc[table["split"] == "test", "sample_id"]) for table in tables]
    told = hashlib.sha256(json.dumps(tests).encode()).hexdigest() if tests else ""
    return replace(protocol, other_tests=told)


def make_protocol(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    embedded: EmbeddingTable,
) -> Protocol:
    """The protocol; the training samples are those of ``embedded`` that have a label.

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
    train = train[train["sample_id"].isin(embedded.sample_ids) & train["label"].notna()]
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
        named=named_classes(samples, task, teacher_embeddings, projection),
    )


@dataclass(frozen=True)
class Fold:
    """One student of one fold: what it is measured on, the student, and its embeddings of the protocol's samples."""

    protocol: Protocol
    student: ModelBundle
    embeddings: EmbeddingTable

    @property
    def on_test(self) -> Evaluated:
        """The student on its test samples."""
        return self._on(self.protocol.test, self.protocol.trials)

    @property
    def on_train(self) -> Evaluated | None:
        """The student on training samples, where there are any."""
        train = self.protocol.train
        return None if train is None else self._on(train, self.protocol.train_trials)

    def _on(self, subset: Subset, trials: pd.DataFrame) -> Evaluated:
        return Evaluated(subset, self.student, self.embeddings.at(subset.rows["sample_id"]), trials)


def side_by_side(protocols: Sequence[Protocol]) -> list[Protocol]:
    """The protocols of several folds, with one numbering of all their clusters and with the same resamples.

    Args:
        protocols: of each fold, as ``make_protocol`` gives them.

    Returns:
        The same, of which all subsets are over the clusters of all folds: of test samples and of training samples.
    """
    tests = over_clusters([protocol.test for protocol in protocols], protocols[0].evaluation, "test")
    trains = [protocol.train for protocol in protocols]
    there = over_clusters([train for train in trains if train is not None], protocols[0].evaluation, "train")
    numbered = iter(there)
    return [
        replace(protocol, test=test, train=None if protocol.train is None else next(numbered))
        for protocol, test in zip(protocols, tests, strict=True)
    ]


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
    return replace(pooled_metrics([Fold(protocol, student, embeddings)]), weights=weights_of(student))


def pooled_metrics(folds: Sequence[Fold]) -> MetricSet:
    """``student_metrics`` over all folds: scores, answers and distances of each are pooled, and resampled as one.

    Trials, galleries and what is looked up in them are within a fold, since its student has a space of its own.

    Args:
        folds: one or more; of several, their protocols are ``side_by_side``.

    Returns:
        As ``student_metrics``; what needs training samples only where every fold has some.
    """
    first = folds[0].protocol
    task, evaluation, kind = first.task, first.evaluation, kind_of(first.task)
    on_test = [fold.on_test for fold in folds]
    found = kind.metrics(on_test, evaluation)
    unseen = [(part.subset, part.values, fold.protocol.unseen) for part, fold in zip(on_test, folds, strict=True)]
    found |= matching_metrics(unseen, task, evaluation) | _unseen_classes(on_test, folds)
    found = found.resting_on(first.test.evidence(*_clusters(on_test)))
    on_train = [part for fold in folds if (part := fold.on_train) is not None]
    if len(on_train) < len(folds):
        return found
    seen = [(part.subset, part.values, fold.protocol.seen) for part, fold in zip(on_train, folds, strict=True)]
    found |= matching_metrics(seen, task, evaluation).renamed(SEEN)
    found |= kind.train_metric(on_train).renamed("_train")
    found = found.resting_on(on_train[0].subset.evidence(*_clusters(on_train)))
    ends = [kind.metric, f"{kind.metric}_train"]
    found |= _gap(found, f"{kind.metric}_gap", *(reversed(ends) if kind.larger_is_better else ends))
    return found | _gap(found, "distance_gap", "distance", f"distance{SEEN}")


def _unseen_classes(on_test: Sequence[Evaluated], folds: Sequence[Fold]) -> MetricSet:
    pairs = zip(on_test, folds, strict=True)
    parts = [(part.subset, part.values, named) for part, fold in pairs if (named := fold.protocol.named) is not None]
    if not parts:
        return MetricSet()
    evaluation = folds[0].protocol.evaluation
    return open_vocabulary_metrics(parts, evaluation) | few_shot_metrics(parts, evaluation)


def _clusters(folds: Sequence[Evaluated]) -> list[np.ndarray]:
    """The clusters of all folds as one sort; none of a single fold, whose subset has them."""
    return [np.concatenate([fold.subset.clusters for fold in folds])] if len(folds) > 1 else []


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
