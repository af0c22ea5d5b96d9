"""Open-set verification as a kind of task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cross_modal_kd.config import Answer, EvaluationConfig, StudentConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import SamplingDesign
from cross_modal_kd.tasks.confusion import Confusion
from cross_modal_kd.tasks.kind import Predict, TaskKind
from cross_modal_kd.tasks.on_test import Evaluated, Mistakes, ProjectedTeacher, StudentsOnTest
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.verification.trials import draw_trials
from cross_modal_kd.tasks.verification.words import CAPTIONS, LEGENDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cross_modal_kd.losses import Classifier
    from cross_modal_kd.metrics import MetricSet
    from cross_modal_kd.models import Projection


class Verification(TaskKind):
    """Do two samples have the same label? Labels of the test split are unseen in training; judged by the EER.

    A split holds two labels at least, since one alone makes no impostor trial.
    """

    name = "verification"
    design = SamplingDesign(cluster="label", closed_set=False, least=2)
    metric, larger_is_better = "eer", False
    error_metric = "eer"
    uses_trials = True
    legends, captions = LEGENDS, CAPTIONS
    intended_use = (
        "To say how alike two {plural} are, whether they are of one label at a stated false-acceptance rate, and which "
        "of some enrolled labels an unknown one comes nearest to. The labels need not be in the training."
    )

    def build_classifier(self, student: StudentConfig, classes: int, dim: int) -> "Classifier":
        """AAM-softmax over the training labels. See ``TaskKind.build_classifier``."""
        from cross_modal_kd.losses import AAMSoftmaxClassifier

        return AAMSoftmaxClassifier(classes, dim, student.margin, student.scale, student.sub_centers)

    def shared_classifier(self, by: Answer, projection: "Projection | None") -> None:
        """None: a student is asked for an embedding, not for a class. See ``TaskKind.shared_classifier``."""

    def measure(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """EER over all pairs of the samples, NaN where no two share a label or all do. See ``TaskKind.measure``."""
        from cross_modal_kd.metrics import pairwise_eer

        return pairwise_eer(embeddings, labels.to_numpy())

    def measure_error(self, embeddings: np.ndarray, labels: pd.Series, classes: list[str], predict: Predict) -> float:
        """The EER. See ``TaskKind.measure_error``."""
        return self.measure(embeddings, labels, classes, predict)

    def as_errors(self, values: np.ndarray) -> np.ndarray:
        """The values: an EER is an error rate. See ``TaskKind.as_errors``."""
        return values

    def draw_trials(self, rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
        """All target pairs, and a seeded draw of ``evaluation.max_impostors`` impostor pairs.

        See ``TaskKind.draw_trials``.
        """
        return draw_trials(rows, evaluation)

    def metrics(self, folds: Sequence[Evaluated], evaluation: EvaluationConfig) -> "MetricSet":
        """EER, minDCF, EER over impostors of one domain, rank-1 identification. See ``TaskKind.metrics``."""
        from cross_modal_kd.tasks.verification.metrics import verification_metrics

        return verification_metrics(folds, evaluation)

    def train_metric(self, folds: Sequence[Evaluated]) -> "MetricSet":
        """EER of the trials. See ``TaskKind.train_metric``."""
        from cross_modal_kd.metrics import unit_rows
        from cross_modal_kd.tasks.verification.metrics import trial_eer

        return trial_eer([(fold.subset, unit_rows(fold.values), fold.trials) for fold in folds])

    def teacher_metric(
        self, folds: Sequence[tuple[Subset, ProjectedTeacher]], evaluation: EvaluationConfig
    ) -> "MetricSet":
        """EER between the projected views of the test labels. See ``TaskKind.teacher_metric``."""
        from cross_modal_kd.tasks.verification.metrics import teacher_trials, trial_eer

        return trial_eer(
            [(subset, teacher.values, teacher_trials(teacher.rows, evaluation)) for subset, teacher in folds]
        )

    def error(
        self,
        subset: Subset,
        student: ModelBundle,
        trials: pd.DataFrame,
        enrol_values: np.ndarray,
        test_values: np.ndarray,
    ) -> "MetricSet":
        """EER of the trials, each side with its own embeddings. See ``TaskKind.error``."""
        from cross_modal_kd.tasks.verification.metrics import eer_of_sides

        return eer_of_sides(subset, trials, enrol_values, test_values)

    def plots(
        self, students: StudentsOnTest, teacher: ProjectedTeacher, evaluation: EvaluationConfig
    ) -> "tuple[Figure, Figure]":
        """The detection error trade-off, and the scores of targets and impostors. See ``TaskKind.plots``."""
        from cross_modal_kd.tasks.verification.plots import det_plot, scored_trials, scores_plot

        scored = scored_trials(students)
        return det_plot(scored, teacher, evaluation), scores_plot(scored)

    def worst(self, students: StudentsOnTest) -> list[Mistakes]:
        """Impostors with the highest score, targets with the lowest. See ``TaskKind.worst``."""
        from cross_modal_kd.tasks.verification.mistakes import worst_trials

        return worst_trials(students)

    def confusion(self, students: StudentsOnTest) -> Confusion | None:
        """Mean scores between labels. See ``TaskKind.confusion``."""
        from cross_modal_kd.tasks.verification.confusion import confusion_of_labels

        return confusion_of_labels(students)
