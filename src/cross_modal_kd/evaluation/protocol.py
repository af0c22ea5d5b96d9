"""Every figure of one student: what it is asked for, how it lies beside the teacher, and its gap to training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.evaluation.legend import SEEN
from cross_modal_kd.evaluation.matching import Gallery, matching_figures, teacher_gallery
from cross_modal_kd.evaluation.teacher import ProjectedTeacher
from cross_modal_kd.metrics import Figures, Measured, unit_rows
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import split_rows
from cross_modal_kd.tasks.classification.metrics import classification_figures
from cross_modal_kd.tasks.scores import cosine_scores, trial_rows
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.trials import draw_trials
from cross_modal_kd.tasks.verification.metrics import error_figures, verification_figures


@dataclass(frozen=True)
class Protocol:
    """What all arms are measured on: the same samples, trials, gallery and resamples.

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


def protocol(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    embedded: EmbeddingTable,
) -> Protocol:
    """The protocol; the training samples are those of ``embedded``."""
    train = split_rows(samples, task.student, "train")
    train = train[train["sample_id"].isin(embedded.sample_ids)]
    galleries = [teacher_gallery(samples, task, split, teacher_embeddings, projection) for split in ("test", "train")]
    return Protocol(
        task=task,
        evaluation=evaluation,
        test=Subset.of(split_rows(samples, task.student, "test"), task, evaluation, "test"),
        trials=trials,
        unseen=galleries[0],
        train=Subset.of(train, task, evaluation, "train") if len(train) else None,
        train_trials=draw_trials(train, evaluation.model_copy(update={"impostors": "any"})),
        seen=galleries[1],
        teacher=ProjectedTeacher.of(samples, task, evaluation, teacher_embeddings, projection),
    )


def arm_figures(setting: Protocol, student: ModelBundle, embeddings: EmbeddingTable) -> Figures:
    """All figures of one student; ``_seen`` is matching on training classes, ``_train`` and ``_gap`` diagnose."""
    task, evaluation = setting.task, setting.evaluation
    values = embeddings.at(setting.test.rows["sample_id"])
    if task.kind == "verification":
        figures = verification_figures(setting.test, values, setting.trials, evaluation)
    else:
        figures = classification_figures(setting.test, student, values)
    figures |= matching_figures(setting.test, values, task, setting.unseen, evaluation)
    if setting.train is None:
        return figures
    values = embeddings.at(setting.train.rows["sample_id"])
    figures |= matching_figures(setting.train, values, task, setting.seen, evaluation).renamed(SEEN)
    if task.kind == "verification":
        figures |= _train_eer(setting, setting.train, values).renamed("_train")
        figures |= _gap(figures, "eer_gap", "eer", "eer_train")
    else:
        figures |= classification_figures(setting.train, student, values).only("top1").renamed("_train")
        figures |= _gap(figures, "top1_gap", "top1_train", "top1")
    return figures | _gap(figures, "distance_gap", "distance", f"distance{SEEN}")


def _train_eer(setting: Protocol, train: Subset, values: np.ndarray) -> Figures:
    enrol, test = trial_rows(train.rows, setting.train_trials)
    scores = cosine_scores(unit_rows(values), enrol, test)
    target = setting.train_trials["target"].to_numpy()
    return error_figures(scores, target, train.clusters[enrol], train.clusters[test], train.weights, {})


def _gap(figures: Figures, name: str, first: str, second: str) -> Figures:
    """first - second; their resamples are of different samples, so they are set beside each other as they come."""
    one, other = figures.measured.get(first), figures.measured.get(second)
    if one is None or other is None:
        return Figures(undefined={name: f"{first} or {second} is not defined"})
    return Figures({name: Measured(one.value - other.value, one.resampled - other.resampled)})


def make_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Pairs of the student's test samples: every target, and a seeded draw of impostors. Empty for classification."""
    from cross_modal_kd.tasks.trials import draw_trials, no_trials

    if task.kind == "classification":
        return no_trials()
    return draw_trials(split_rows(samples, task.student, "test"), evaluation)
