"""How good the projected teacher is by itself on the test split: what the student might at best take over."""

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


def teacher_figures(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
) -> Figures:
    """Verification: EER between the projected views of the test labels. Classification: top-1 of the prototypes."""
    rows = split_rows(samples, task.teacher, "test").reset_index(drop=True)
    name = "eer" if task.kind == "verification" else "top1"
    if rows.empty:
        return Figures(undefined={name: f"the test split has no {task.teacher} sample"})
    subset = Subset.of(rows, task, evaluation, "test")
    if task.kind == "verification":
        scores, target, enrol, test = teacher_scores(rows, evaluation, teacher_embeddings, projection)
        return error_figures(scores, target, subset.clusters[enrol], subset.clusters[test], subset.weights, {})
    projected = project(projection, teacher_embeddings.at(rows["sample_id"]))
    classes = projection.config["classes"]
    numbers = class_numbers(rows["label"], classes)
    known = numbers >= 0
    right = in_top_k(projected[known] @ prototypes(projection).T, numbers[known])
    resampled = bootstrap_mean(right, subset.clusters[known], subset.weights)
    return Figures({name: Measured(float(right.mean()), resampled)}, {name: 1 / len(classes)})


def teacher_scores(
    rows: pd.DataFrame, evaluation: EvaluationConfig, teacher_embeddings: EmbeddingTable, projection: ModelBundle
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(scores, target, enrol rows, test rows) of trials between teacher samples, drawn as the student's are."""
    trials = draw_trials(rows, evaluation.model_copy(update={"impostors": "any"}))
    enrol, test = trial_rows(rows, trials)
    unit = project(projection, teacher_embeddings.at(rows["sample_id"]))
    return cosine_scores(unit, enrol, test), trials["target"].to_numpy(), enrol, test
