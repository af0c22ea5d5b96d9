"""Closed-set classification as a kind of task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cross_modal_kd.config import Answer, EvaluationConfig, StudentConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import SamplingDesign, class_numbers
from cross_modal_kd.tasks.classification.words import CAPTIONS, LEGENDS
from cross_modal_kd.tasks.confusion import Confusion
from cross_modal_kd.tasks.kind import Predict, TaskKind
from cross_modal_kd.tasks.on_test import Evaluated, Mistakes, ProjectedTeacher, StudentsOnTest
from cross_modal_kd.tasks.subset import Subset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cross_modal_kd.losses import Classifier
    from cross_modal_kd.metrics import MetricSet
    from cross_modal_kd.models import Projection, Shared


class Classification(TaskKind):
    """Which of the known labels does a sample have? The splits share their labels; judged by top-1 accuracy."""

    name = "classification"
    design = SamplingDesign(cluster="group", closed_set=True, least=1)
    metric, larger_is_better = "top1", True
    error_metric = "top1_error"
    uses_trials = False
    legends, captions = LEGENDS, CAPTIONS
    hub_task = "classification"
    intended_use = (
        "To name which of its classes {one} belongs to. It has an answer for every input, also for one of no class: "
        "look at the probability and the quality beside it."
    )

    def build_classifier(self, student: StudentConfig, classes: int, dim: int) -> "Classifier":
        """A linear classifier with label-smoothed cross-entropy. See ``TaskKind.build_classifier``."""
        from cross_modal_kd.losses import LinearClassifier

        return LinearClassifier(classes, dim, student.label_smoothing)

    def shared_classifier(self, by: Answer, projection: "Projection | None") -> "Shared | None":
        """The projection's prototypes and scale, for a student that answers by the teacher's classifier or by both.

        See ``TaskKind.shared_classifier``.

        Raises:
            ValueError: there is no projection to take them from.
        """
        if by == "own":
            return None
        if projection is None:
            raise ValueError(f"answer {by!r} is by the teacher's classifier: expected a projection, found None")
        from cross_modal_kd.models import Shared

        return Shared(by, projection.prototypes().detach().cpu().clone(), projection.config.scale)

    def measure(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """Top-1: the share of samples that are taken for what they are; a label that is no class counts as wrong.

        See ``TaskKind.measure``.
        """
        return float((predict() == class_numbers(labels, classes)).mean())

    def measure_error(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """The share of samples that are taken for something else. See ``TaskKind.measure_error``."""
        return float((predict() != class_numbers(labels, classes)).mean())

    def as_errors(self, values: np.ndarray) -> np.ndarray:
        """1 - values: what top-1 leaves. See ``TaskKind.as_errors``."""
        return 1 - values

    def metrics(self, folds: Sequence[Evaluated], evaluation: EvaluationConfig) -> "MetricSet":
        """Top-1, top-5, macro F1 and calibration error of the student's answers. See ``TaskKind.metrics``."""
        from cross_modal_kd.tasks.classification.metrics import classification_metrics

        return classification_metrics(folds)

    def train_metric(self, folds: Sequence[Evaluated]) -> "MetricSet":
        """Top-1 of the student's answers. See ``TaskKind.train_metric``."""
        from cross_modal_kd.tasks.classification.metrics import top1

        return top1(folds)

    def teacher_metric(
        self, folds: Sequence[tuple[Subset, ProjectedTeacher]], evaluation: EvaluationConfig
    ) -> "MetricSet":
        """Top-1 of the nearest prototype. See ``TaskKind.teacher_metric``."""
        from cross_modal_kd.tasks.classification.metrics import prototype_top1

        return prototype_top1([(subset, teacher.values, teacher.projection) for subset, teacher in folds])

    def error(
        self,
        subset: Subset,
        student: ModelBundle,
        trials: pd.DataFrame,
        enrol_values: np.ndarray,
        test_values: np.ndarray,
    ) -> "MetricSet":
        """The share of wrong answers; ``enrol_values`` play no part. See ``TaskKind.error``."""
        from cross_modal_kd.tasks.classification.metrics import top1_error

        return top1_error(subset, student, test_values)

    def plots(
        self, students: StudentsOnTest, teacher: ProjectedTeacher, evaluation: EvaluationConfig
    ) -> "tuple[Figure, Figure]":
        """Reliability, and the classes that change most. See ``TaskKind.plots``."""
        from cross_modal_kd.tasks.classification.plots import classes_plot, reliability_plot

        return reliability_plot(students), classes_plot(students)

    def worst(self, students: StudentsOnTest) -> list[Mistakes]:
        """Wrong answers with the highest confidence. See ``TaskKind.worst``."""
        from cross_modal_kd.tasks.classification.mistakes import worst_answers

        return worst_answers(students)

    def confusion(self, students: StudentsOnTest) -> Confusion | None:
        """Labels against answers. See ``TaskKind.confusion``."""
        from cross_modal_kd.tasks.classification.confusion import confusion_of_classes

        return confusion_of_classes(students)
