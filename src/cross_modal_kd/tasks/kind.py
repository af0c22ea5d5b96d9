"""The kind of a task: everything in which verification and classification differ."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.objective import Answer
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.tasks.legend import Legend
from cross_modal_kd.tasks.on_test import Mistakes, ProjectedTeacher, StudentsOnTest
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.trials import no_trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cross_modal_kd.losses import TaskHead
    from cross_modal_kd.metrics import MetricSet
    from cross_modal_kd.models.answer import Shared
    from cross_modal_kd.models.projection import Projection

Predict = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Caption:
    """heading: over a plot. text: how the plot is to be read."""

    heading: str
    text: str


class TaskKind(ABC):
    """One kind of task. It holds no state; ``tasks.kind_of`` finds the one of a task.

    name: as ``task.kind`` has it.
    design: how its samples are drawn from the world: clusters, strata, open or closed set.
    metric: the metric that a student is judged by: it chooses the checkpoint on dev, and it is what the report's first
    sentence speaks of. larger_is_better: of that metric.
    error_metric: name of the error rate that goes with it.
    uses_trials: whether samples are compared in pairs.
    legends: of every metric that this kind gives, by name; of ``metric`` also ``<metric>_train`` and ``<metric>_gap``.
    captions: of the two plots that ``plots`` draws.
    """

    name: ClassVar[str]
    design: ClassVar[SamplingDesign]
    metric: ClassVar[str]
    larger_is_better: ClassVar[bool]
    error_metric: ClassVar[str]
    uses_trials: ClassVar[bool]
    legends: ClassVar[Mapping[str, Legend]]
    captions: ClassVar[tuple[Caption, Caption]]

    def clusters(self, rows: pd.DataFrame) -> pd.Series:
        """(n,) name of each row's cluster: what was drawn from the world as one, and is resampled as one."""
        return self.design.clusters(rows)

    @property
    def dev_metric(self) -> str:
        """Column of a history that holds ``metric`` on the dev split."""
        return f"dev_{self.metric}"

    @abstractmethod
    def build_classifier(self, student: StudentConfig, classes: int, dim: int) -> "TaskHead":
        """The student's classifier, a module that also holds the loss of the task.

        Args:
            student: its block of parameters.
            classes: number of classes, C.
            dim: length of the student's embedding.
        """

    @abstractmethod
    def shared_classifier(self, by: Answer, projection: "Projection | None") -> "Shared | None":
        """The teacher's classifier as it is now, where a student answers by it; None where it answers by its own.

        Args:
            by: ``answer`` of an arm: own, teacher or both.
            projection: of the teacher, with its prototypes; there is one wherever ``by`` is not ``own``.
        """

    @abstractmethod
    def measure(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """``metric`` of samples, in [0, 1]; NaN where it is not defined for them.

        Args:
            embeddings: (n, d), not normalised.
            labels: (n,) their labels.
            classes: the C classes that are known.
            predict: () -> (n,) numbers of the classes that the samples are taken for; called only by kinds that ask for
                a class.
        """

    @abstractmethod
    def measure_error(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """The error rate that goes with ``measure``; arguments as there."""

    @abstractmethod
    def as_errors(self, values: np.ndarray) -> np.ndarray:
        """Values of ``metric``, of any shape, as values of ``error_metric``."""

    def draw_trials(self, rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
        """Pairs of ``rows`` that are compared, in the columns of ``tasks.trials``; none, unless a kind uses trials."""
        return no_trials()

    @abstractmethod
    def metrics(
        self,
        subset: Subset,
        student: ModelBundle,
        values: np.ndarray,
        trials: pd.DataFrame,
        evaluation: EvaluationConfig,
    ) -> "MetricSet":
        """Every metric of a student on the test split.

        Args:
            subset: n samples of the student's modality.
            student: with its classifier.
            values: (n, d) embeddings of the samples, not normalised.
            trials: of the samples, as ``draw_trials`` gives them.
            evaluation: gives the seed.
        """

    @abstractmethod
    def train_metric(
        self, subset: Subset, student: ModelBundle, values: np.ndarray, trials: pd.DataFrame
    ) -> "MetricSet":
        """``metric`` alone, on samples of the training split; arguments as for ``metrics``."""

    @abstractmethod
    def teacher_metric(self, subset: Subset, teacher: ProjectedTeacher, evaluation: EvaluationConfig) -> "MetricSet":
        """``metric`` of the projected teacher by itself.

        Args:
            subset: the teacher's n test samples, with their resamples.
            teacher: of the same samples.
            evaluation: gives the seed and the number of impostor trials.
        """

    @abstractmethod
    def error(
        self,
        subset: Subset,
        student: ModelBundle,
        trials: pd.DataFrame,
        enrol_values: np.ndarray,
        test_values: np.ndarray,
    ) -> "MetricSet":
        """``error_metric`` alone, where the two sides of a trial are embedded apart (one is damaged, say).

        Args:
            subset: n test samples of the student's modality.
            student: with its classifier.
            trials: of the samples, as ``draw_trials`` gives them.
            enrol_values: (n, d) embeddings of the samples on the enrolment side; a kind without trials reads none.
            test_values: (n, d) embeddings of the samples on the test side.
        """

    @abstractmethod
    def plots(
        self, students: StudentsOnTest, teacher: ProjectedTeacher, evaluation: EvaluationConfig
    ) -> "tuple[Figure, Figure]":
        """Two plots: how each student errs at every operating point, and what lies behind it."""

    @abstractmethod
    def worst(self, students: StudentsOnTest) -> list[Mistakes]:
        """Where the distilled student is most wrong."""
