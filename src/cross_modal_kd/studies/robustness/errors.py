"""The task's error rate of students whose test samples were damaged, in every resample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation import subset_of
from cross_modal_kd.metrics import Evidence, Metric, weakest
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import split_rows
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.tasks import Subset, TaskKind, kind_of


@dataclass(frozen=True)
class Errors:
    """An error rate of S seeds.

    Attributes:
        values: (S,) shares.
        resampled: (R, S) shares, in each of R resamples.
        evidence: what all seeds rest on.
    """

    values: np.ndarray
    resampled: np.ndarray
    evidence: Evidence | None = None

    def at(self, places: Sequence[int]) -> "Errors":
        """The errors of some of the seeds.

        Args:
            places: of the seeds, in [0, S).

        Returns:
            A copy with these alone, in this order.
        """
        return replace(self, values=self.values[list(places)], resampled=self.resampled[:, list(places)])


@dataclass(frozen=True)
class DamageProtocol:
    """What every student is measured on, the same under all conditions.

    Attributes:
        kind: of the task.
        sides: of a trial, which are damaged.
        subset: the test samples, with their resamples.
        trials: among them, with the sample that may be damaged on the test side; none where the kind uses none.
    """

    kind: TaskKind
    sides: Literal["test", "both"]
    subset: Subset
    trials: pd.DataFrame

    @property
    def metric(self) -> str:
        """The error metric of the kind of task: ``eer`` or ``top1_error``."""
        return self.kind.error_metric

    def errors(
        self, students: Sequence[ModelBundle], clean: Sequence[np.ndarray], damaged: Sequence[np.ndarray]
    ) -> Errors:
        """The error of each of S students.

        Args:
            students: S of them.
            clean: of each student (n, d) embeddings of the subset's rows, undamaged and not normalised.
            damaged: the same of the damaged samples.

        Returns:
            Error rates and their resamples, a column a student. ValueError where the error is not defined there.
        """
        found = [self._error(*each) for each in zip(students, clean, damaged, strict=True)]
        values, resampled = np.array([each.value for each in found]), [each.resampled for each in found]
        return Errors(values, np.stack(resampled, axis=1), weakest([each.evidence for each in found]))

    def _error(self, student: ModelBundle, clean: np.ndarray, damaged: np.ndarray) -> Metric:
        enrolled = clean if self.sides == "test" else damaged
        found = self.kind.error(self.subset, student, self.trials, enrolled, damaged)
        found = found.resting_on(self.subset.evidence())
        if self.metric in found.undefined:
            raise ValueError(
                f"robustness: {self.metric} is not defined, {found.undefined[self.metric]}; use a larger test split"
            )
        return found.metrics[self.metric]


def protocol(
    samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig, robustness: RobustnessConfig
) -> DamageProtocol:
    """A seeded draw of test samples and trials. Which side of a trial is the test side is drawn too.

    Args:
        samples: the samples table.
        task: names the student's modality and the kind.
        evaluation: seeds, and which impostors there are.
        robustness: samples of a label, sides, seed; its impostors, resamples and level replace the evaluation's.

    Returns:
        What all students are measured in.
    """
    kind, rows = kind_of(task), drawn_rows(samples, task, robustness)
    smaller = evaluation.model_copy(
        update={name: getattr(robustness, name) for name in ("bootstrap", "level", "max_impostors")}
    )
    subset = subset_of(rows, task, smaller, "test")
    return DamageProtocol(kind, robustness.sides, subset, turned(kind.draw_trials(rows, smaller), robustness.seed))


def turned(trials: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The trials, a seeded half of them with the enrolment and the test side exchanged.

    Args:
        trials: with the columns enrol_id, test_id, enrol_label and test_label.
        seed: each trial is exchanged with probability 1/2.

    Returns:
        A new table, in the same order and with the same columns.
    """
    kept = np.random.default_rng(seed).random(len(trials)) >= 0.5
    sides = [("enrol_id", "test_id"), ("enrol_label", "test_label")]
    exchanged = [(one, other) for pair in sides for one, other in (pair, pair[::-1])]
    return trials.assign(**{one: trials[one].where(kept, trials[other]) for one, other in exchanged})


def drawn_rows(samples: pd.DataFrame, task: TaskConfig, robustness: RobustnessConfig) -> pd.DataFrame:
    """At most ``robustness.samples`` test samples of each label.

    Args:
        samples: the samples table.
        task: names the student's modality.
        robustness: number of samples, None for all, and the seed of the draw.

    Returns:
        Rows of the samples table, in its order.
    """
    rows = split_rows(samples, task.student, "test")
    if robustness.samples is None:
        return rows
    shuffled = rows.iloc[np.random.default_rng(robustness.seed).permutation(len(rows))]
    kept = shuffled[shuffled.groupby("label").cumcount() < robustness.samples]
    return rows.loc[rows.index.isin(kept.index)]
