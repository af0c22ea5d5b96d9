"""The task's error rate of students whose test samples were damaged, in every resample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.metrics import bootstrap_mean, in_top_k, unit_rows
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.selection import class_numbers, split_rows
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.scores import cosine_scores, trial_rows
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.trials import draw_trials, no_trials
from cross_modal_kd.tasks.verification.metrics import error_figures


@dataclass(frozen=True)
class Errors:
    """values: (S,) of S seeds, shares. resampled: (R, S)."""

    values: np.ndarray
    resampled: np.ndarray


@dataclass(frozen=True)
class DamageProtocol:
    """What every student is measured on, the same under all conditions.

    enrol, test: rows of both sides of the trials; none for classification.
    """

    kind: Literal["verification", "classification"]
    sides: Literal["test", "both"]
    subset: Subset
    trials: pd.DataFrame
    enrol: np.ndarray
    test: np.ndarray

    @property
    def metric(self) -> str:
        return "eer" if self.kind == "verification" else "top1_error"

    def errors(
        self, students: Sequence[ModelBundle], clean: Sequence[np.ndarray], damaged: Sequence[np.ndarray]
    ) -> Errors:
        """clean, damaged: of each student (n, d) embeddings of the subset's rows, not normalised."""
        measure = self._eer if self.kind == "verification" else self._top1_error
        found = [measure(*each) for each in zip(students, clean, damaged, strict=True)]
        return Errors(np.array([value for value, _ in found]), np.stack([drawn for _, drawn in found], axis=1))

    def _eer(self, _: ModelBundle, clean: np.ndarray, damaged: np.ndarray) -> tuple[float, np.ndarray]:
        unit = unit_rows(np.concatenate([clean if self.sides == "test" else damaged, damaged]))
        scores = cosine_scores(unit, self.enrol, self.test + len(clean))
        target, clusters = self.trials["target"].to_numpy(), self.subset.clusters
        sides = clusters[self.enrol], clusters[self.test]
        found = error_figures(scores, target, *sides, self.subset.weights, {})
        if "eer" in found.undefined:
            raise ValueError(f"robustness: the EER is not defined, {found.undefined['eer']}; use a larger test split")
        return found.measured["eer"].value, found.measured["eer"].resampled

    def _top1_error(self, student: ModelBundle, _: np.ndarray, damaged: np.ndarray) -> tuple[float, np.ndarray]:
        labels = class_numbers(self.subset.rows["label"], student.config["classes"])
        wrong = 1.0 - in_top_k(probabilities(student, damaged), labels, 1)
        return float(wrong.mean()), bootstrap_mean(wrong, self.subset.clusters, self.subset.weights)


def protocol(
    samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig, robustness: RobustnessConfig
) -> DamageProtocol:
    """A seeded draw of test samples and trials. Which side of a trial is the test side is drawn too."""
    rows = drawn_rows(samples, task, robustness)
    smaller = evaluation.model_copy(
        update={name: getattr(robustness, name) for name in ("bootstrap", "level", "max_impostors")}
    )
    subset = Subset.of(rows, task, smaller, "test")
    trials = draw_trials(rows, smaller) if task.kind == "verification" else no_trials()
    enrol, test = trial_rows(subset.rows, trials)
    turned = np.random.default_rng(robustness.seed).random(len(trials)) < 0.5
    first, second = np.where(turned, test, enrol), np.where(turned, enrol, test)
    return DamageProtocol(task.kind, robustness.sides, subset, trials, first, second)


def drawn_rows(samples: pd.DataFrame, task: TaskConfig, robustness: RobustnessConfig) -> pd.DataFrame:
    """At most ``robustness.samples`` test samples of each label, in the table's order."""
    rows = split_rows(samples, task.student, "test")
    if robustness.samples is None:
        return rows
    shuffled = rows.iloc[np.random.default_rng(robustness.seed).permutation(len(rows))]
    kept = shuffled[shuffled.groupby("label").cumcount() < robustness.samples]
    return rows.loc[rows.index.isin(kept.index)]
