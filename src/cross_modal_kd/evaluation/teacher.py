"""How good the projected teacher is by itself on the test split: what the student might at best take over."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.metrics import Figures, Measured, bootstrap_mean, in_top_k
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.projection import project, prototypes
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import class_numbers, split_rows
from cross_modal_kd.tasks.scores import cosine_scores, trial_rows
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.trials import draw_trials
from cross_modal_kd.tasks.verification.metrics import error_figures


@dataclass(frozen=True)
class ProjectedTeacher:
    """The teacher on the test split, as the student meets it.

    rows: (n) teacher samples of the test split. embeddings: of all teacher samples, raw. projection: what brings them
    into the student's space.
    """

    task: TaskConfig
    evaluation: EvaluationConfig
    rows: pd.DataFrame
    embeddings: EmbeddingTable
    projection: ModelBundle

    @classmethod
    def of(
        cls,
        samples: pd.DataFrame,
        task: TaskConfig,
        evaluation: EvaluationConfig,
        embeddings: EmbeddingTable,
        projection: ModelBundle,
    ) -> "ProjectedTeacher":
        rows = split_rows(samples, task.teacher, "test").reset_index(drop=True)
        return cls(task, evaluation, rows, embeddings, projection)

    @property
    def values(self) -> np.ndarray:
        """(n, d) unit vectors t of the rows."""
        return project(self.projection, self.embeddings.at(self.rows["sample_id"]))

    def scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(scores, target, enrol rows, test rows) of trials between teacher samples, drawn as the student's are."""
        trials = draw_trials(self.rows, self.evaluation.model_copy(update={"impostors": "any"}))
        enrol, test = trial_rows(self.rows, trials)
        return cosine_scores(self.values, enrol, test), trials["target"].to_numpy(), enrol, test

    @property
    def has_trials(self) -> bool:
        """Whether there are targets and impostors among the teacher's test samples."""
        return bool(self.rows["label"].duplicated().any()) and self.rows["label"].nunique() > 1


def teacher_figures(teacher: ProjectedTeacher) -> Figures:
    """Verification: EER between the projected views of the test labels. Classification: top-1 of the prototypes."""
    task, rows = teacher.task, teacher.rows
    name = "eer" if task.kind == "verification" else "top1"
    if rows.empty:
        return Figures(undefined={name: f"the test split has no {task.teacher} sample"})
    subset = Subset.of(rows, task, teacher.evaluation, "test")
    if task.kind == "verification":
        scores, target, enrol, test = teacher.scores()
        return error_figures(scores, target, subset.clusters[enrol], subset.clusters[test], subset.weights, {})
    classes = teacher.projection.config["classes"]
    numbers = class_numbers(rows["label"], classes)
    known = numbers >= 0
    right = in_top_k(teacher.values[known] @ prototypes(teacher.projection).T, numbers[known])
    resampled = bootstrap_mean(right, subset.clusters[known], subset.weights)
    return Figures({name: Measured(float(right.mean()), resampled)}, {name: 1 / len(classes)})
