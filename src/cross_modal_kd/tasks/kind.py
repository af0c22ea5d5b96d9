"""The kind of a task: everything in which verification and classification differ."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from cross_modal_kd.config import Answer, EvaluationConfig, StudentConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import SamplingDesign
from cross_modal_kd.tasks.confusion import Confusion
from cross_modal_kd.tasks.legend import Legend
from cross_modal_kd.tasks.on_test import Evaluated, Mistakes, ProjectedTeacher, StudentsOnTest
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.trials import no_trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cross_modal_kd.losses import Classifier
    from cross_modal_kd.metrics import MetricSet
    from cross_modal_kd.models import Projection, Shared

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
    intended_use: what a student answers, with {one} and {plural} in the place of its inputs.
    hub_task: Hugging Face's word for it, after that for the student's modality.
    """

    name: ClassVar[str]
    design: ClassVar[SamplingDesign]
    metric: ClassVar[str]
    larger_is_better: ClassVar[bool]
    error_metric: ClassVar[str]
    uses_trials: ClassVar[bool]
    legends: ClassVar[Mapping[str, Legend]]
    captions: ClassVar[tuple[Caption, Caption]]
    intended_use: ClassVar[str] = "To embed {plural}."
    hub_task: ClassVar[str] = "feature-extraction"

    def clusters(self, rows: pd.DataFrame) -> pd.Series:
        """Name of each row's cluster: what was drawn from the world as one, and is resampled as one.

        Args:
            rows: n rows of the samples table.

        Returns:
            (n,) names, on the index of the rows; a row without a cluster has its own sample id.
        """
        return self.design.clusters(rows)

    @property
    def dev_metric(self) -> str:
        """Column of a history that holds ``metric`` on the dev split."""
        return f"dev_{self.metric}"

    @abstractmethod
    def build_classifier(self, student: StudentConfig, classes: int, dim: int) -> "Classifier":
        """The student's classifier, a module that also holds the loss of the task.

        Args:
            student: its block of parameters.
            classes: number of classes, C.
            dim: D, length of the student's embedding.

        Returns:
            The module, not yet trained, on the CPU.
        """

    @abstractmethod
    def shared_classifier(self, by: Answer, projection: "Projection | None") -> "Shared | None":
        """The teacher's classifier as it is now, where a student answers by it; None where it answers by its own.

        Args:
            by: ``answer`` of an arm: own, teacher or both.
            projection: of the teacher, with its prototypes; there is one wherever ``by`` is not ``own``.

        Returns:
            A copy on the CPU, which further training leaves alone; None also for a kind that asks for no class.
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

        Returns:
            One number, a share and not a percentage.
        """

    @abstractmethod
    def measure_error(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """The error rate that goes with ``measure``, in [0, 1].

        Args:
            embeddings: (n, d), not normalised.
            labels: (n,) their labels.
            classes: the C classes that are known.
            predict: () -> (n,) numbers of the classes that the samples are taken for, as for ``measure``.

        Returns:
            ``error_metric``, lower is better; NaN where it is not defined for the samples.
        """

    @abstractmethod
    def as_errors(self, values: np.ndarray) -> np.ndarray:
        """Values of ``metric`` as values of ``error_metric``.

        Args:
            values: of any shape, in [0, 1].

        Returns:
            Error rates of the same shape, in [0, 1].
        """

    def draw_trials(self, rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
        """Pairs of ``rows`` that are compared; none, unless a kind uses trials.

        Args:
            rows: rows of the samples table, of one modality and split.
            evaluation: how many impostor pairs are drawn, from which, and the seed.

        Returns:
            A row a pair, in the columns of ``tasks.trials``: enrol_id, test_id, target (1 or 0), enrol_label,
            test_label, same_domain.
        """
        return no_trials()

    @abstractmethod
    def metrics(self, folds: Sequence[Evaluated], evaluation: EvaluationConfig) -> "MetricSet":
        """Every metric of a student on the test split.

        Args:
            folds: a student on the test samples of each fold: one, unless ``evaluation.folds`` asks for more.
            evaluation: gives the seed.

        Returns:
            The metrics by their names in ``legends``, each in [0, 1] and with its resamples; what is not defined for
            the samples, with the reason.
        """

    @abstractmethod
    def train_metric(self, folds: Sequence[Evaluated]) -> "MetricSet":
        """``metric`` alone, on samples of the training split.

        Args:
            folds: a student on training samples of each fold; a sample may be in several.

        Returns:
            ``metric`` under its own name, without a suffix.
        """

    @abstractmethod
    def teacher_metric(
        self, folds: Sequence[tuple[Subset, ProjectedTeacher]], evaluation: EvaluationConfig
    ) -> "MetricSet":
        """``metric`` of the projected teacher by itself.

        Args:
            folds: the teacher's n test samples with their resamples, and the teacher of the same samples, of each fold.
            evaluation: gives the seed and the number of impostor trials.

        Returns:
            ``metric`` under its own name, or why it is not defined.
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
            enrol_values: (n, D) embeddings of the samples on the enrolment side; a kind without trials reads none.
            test_values: (n, D) embeddings of the samples on the test side.

        Returns:
            ``error_metric`` under its name, or why it is not defined.
        """

    @abstractmethod
    def plots(
        self, students: StudentsOnTest, teacher: ProjectedTeacher, evaluation: EvaluationConfig
    ) -> "tuple[Figure, Figure]":
        """Two plots: how each student errs at every operating point, and what lies behind it.

        Args:
            students: both arms on the test split.
            teacher: projected, on the test split.
            evaluation: gives the seed and the number of the teacher's impostor trials.

        Returns:
            The figures, in the order of ``captions``.
        """

    @abstractmethod
    def worst(self, students: StudentsOnTest) -> list[Mistakes]:
        """Where the distilled student is most wrong.

        Args:
            students: both arms on the test split.

        Returns:
            The mistakes sort by sort, the worst first in each.
        """

    def confusion(self, students: StudentsOnTest) -> Confusion | None:
        """What is taken for what; nothing, unless a kind says so.

        Args:
            students: both arms on the test split.

        Returns:
            Labels against labels, of both arms.
        """
        return None
