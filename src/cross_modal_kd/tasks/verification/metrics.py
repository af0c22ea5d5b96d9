"""Open-set verification and closed-set identification of one student."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig
from cross_modal_kd.metrics import (
    Metric,
    MetricSet,
    bootstrap_mean,
    bootstrap_verification,
    cosine_scores,
    det_curve,
    eer_at,
    identification,
    min_dcf_at,
    unit_rows,
)
from cross_modal_kd.samples import CONDITION, conditions_of
from cross_modal_kd.tasks.on_test import Evaluated
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.verification.conditions import Coded, too_few
from cross_modal_kd.tasks.verification.scores import trial_rows
from cross_modal_kd.tasks.verification.trials import draw_trials

COSTS = {"min_dcf_01": 0.01, "min_dcf_05": 0.05}


# n samples, (n, d) unit rows of them, pairs of them as ``draw_trials`` gives them
Scored = tuple[Subset, np.ndarray, pd.DataFrame]


def verification_metrics(folds: Sequence[Evaluated], evaluation: EvaluationConfig) -> MetricSet:
    """EER, minDCF, EER over impostors of one domain and by condition, rank-1 identification.

    Trials are of two samples of one fold, and so is who is identified among whom; their scores are pooled.

    Args:
        folds: the student, or one of each fold, on its test samples.
        evaluation: its seed draws the samples that enrol for identification.

    Returns:
        ``eer``, ``min_dcf_01``, ``min_dcf_05``, ``eer_same_domain``, ``identification_rank1``, each in [0, 1], with its
        chance level; ``eer_within_<condition>/<value>`` and ``eer_across_<condition>`` of every condition that the
        samples have; or why one is not defined.
    """
    subset, scored = folds[0].subset, [(fold.subset, unit_rows(fold.values), fold.trials) for fold in folds]
    scores, target, (first, second) = _pooled(scored)
    hard = (target == 1) | np.concatenate([fold.trials["same_domain"].to_numpy() for fold in folds])
    found = error_metrics(subset, scores, target, (first, second), COSTS)
    same = error_metrics(subset, scores[hard], target[hard], (first[hard], second[hard]), {})
    found |= same.renamed("_same_domain") | _identification(scored, evaluation)
    return found | _by_condition(scored, scores, target, (first, second))


def trial_eer(folds: Sequence[Scored]) -> MetricSet:
    """EER of the trials, whose scores are pooled.

    Args:
        folds: samples, unit rows and trials of each fold.

    Returns:
        ``eer`` in [0, 1], chance 0.5; undefined where all trials are targets or all impostors.
    """
    return error_metrics(folds[0][0], *_pooled(folds), {})


def _pooled(folds: Sequence[Scored]) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Scores, 1 or 0 for target or impostor, and both clusters of every trial, fold after fold."""
    parts = []
    for subset, unit, trials in folds:
        enrol, test = trial_rows(subset.rows, trials)
        scores, target = cosine_scores(unit, enrol, test), trials["target"].to_numpy()
        parts.append((scores, target, subset.clusters[enrol], subset.clusters[test]))
    scores, target, first, second = map(np.concatenate, zip(*parts, strict=True))
    return scores, target, (first, second)


def eer_of_sides(subset: Subset, trials: pd.DataFrame, enrol_values: np.ndarray, test_values: np.ndarray) -> MetricSet:
    """EER of the trials, with other embeddings of the samples for each of the two sides.

    Args:
        subset: n samples.
        trials: pairs of the samples, as ``draw_trials`` gives them.
        enrol_values: (n, D) embeddings of all samples as they are enrolled, not normalised.
        test_values: (n, D) embeddings of all samples as they are tested, not normalised.

    Returns:
        ``eer`` in [0, 1], chance 0.5; undefined where all trials are targets or all impostors.
    """
    enrol, test = trial_rows(subset.rows, trials)
    unit = unit_rows(np.concatenate([enrol_values, test_values]))
    scores, target = cosine_scores(unit, enrol, test + len(enrol_values)), trials["target"].to_numpy()
    return error_metrics(subset, scores, target, (subset.clusters[enrol], subset.clusters[test]), {})


def teacher_trials(rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Trials between samples of the teacher, drawn as the student's are, with impostors of any domain.

    Args:
        rows: the teacher's samples, with the columns sample_id, label and domain.
        evaluation: ``max_impostors`` and ``seed`` of the draw.

    Returns:
        The table of trials, see ``draw_trials``.
    """
    return draw_trials(rows, evaluation.model_copy(update={"impostors": "any"}))


def error_metrics(
    subset: Subset,
    scores: np.ndarray,
    target: np.ndarray,
    clusters: tuple[np.ndarray, np.ndarray],
    costs: dict[str, float],
) -> MetricSet:
    """EER and minDCF of the trials.

    Args:
        subset: whose C clusters are resampled.
        scores: (n,), higher is more alike.
        target: (n,), 1 target, 0 impostor.
        clusters: (n,) integers in [0, C) twice, the cluster of the enrolment and of the test sample.
        costs: name of each minDCF -> its p_target, in (0, 1).

    Returns:
        ``eer``, chance 0.5, and each minDCF under its name, chance 1, all in [0, 1]; undefined where all trials are
        targets or all impostors.
    """
    targets = int(target.sum())
    if targets in (0, len(target)):
        reason = f"there are {targets} target and {len(target) - targets} impostor trials; both are needed"
        return MetricSet(undefined=dict.fromkeys(["eer", *costs], reason))
    resampled = bootstrap_verification([scores], target, *clusters, subset.weights, p_targets=tuple(costs.values()))
    sides = [np.concatenate([side[target == sort] for side in clusters]) for sort in (1, 0)]
    evidence = subset.evidence(*sides)
    points = det_curve(scores, target)
    found = {"eer": Metric(eer_at(points), resampled.eer[:, 0], evidence)}
    for name, p_target in costs.items():
        found[name] = Metric(min_dcf_at(points, p_target), resampled.min_dcf[p_target][:, 0], evidence)
    return MetricSet(found, {"eer": 0.5} | dict.fromkeys(costs, 1.0))


def _by_condition(
    folds: Sequence[Scored], scores: np.ndarray, target: np.ndarray, clusters: tuple[np.ndarray, np.ndarray]
) -> MetricSet:
    """EER within each value of every condition and across two, or why there is none: too few clusters."""
    subset, found = folds[0][0], MetricSet()
    rows = pd.concat([fold.rows for fold, _, _ in folds], ignore_index=True)
    if not (names := conditions_of(rows)):
        return found
    before, sides = 0, []
    for fold, _, trials in folds:
        sides.append([side + before for side in trial_rows(fold.rows, trials)])
        before += len(fold.rows)
    enrol, test = map(np.concatenate, zip(*sides, strict=True))
    for name in names:
        for metric, which in Coded.of(name, rows[f"{CONDITION}{name}"], enrol, test).parts(target):
            of_part = target[which], (clusters[0][which], clusters[1][which])
            if reason := too_few(*of_part, subset.least.clusters, subset.least.what, "evaluation.min_clusters"):
                found |= MetricSet(undefined={metric: reason})
                continue
            measured = error_metrics(subset, scores[which], *of_part, {})
            found |= MetricSet({metric: measured.metrics["eer"]}, {metric: measured.chance["eer"]})
    return found


def _identification(folds: Sequence[Scored], evaluation: EvaluationConfig) -> MetricSet:
    name, subset = "identification_rank1", folds[0][0]
    right, probed, chance = [], [], []
    for fold, unit, _ in folds:
        labels = fold.rows["label"]
        if labels.nunique() < 2 or not labels.duplicated().any():
            return MetricSet(undefined={name: "no label has a second sample to look up, or there is only one label"})
        found = identification(unit, labels.to_numpy(), enrol=1, seed=evaluation.seed)
        right.append(found.right)
        probed.append(fold.clusters[found.probes])
        chance.append(found.chance)
    answers, clusters = np.concatenate(right), np.concatenate(probed)
    resampled = bootstrap_mean(answers, clusters, subset.weights)
    metric = Metric(float(answers.mean()), resampled, subset.evidence(clusters))
    counts = np.array([len(part) for part in right])
    return MetricSet({name: metric}, {name: float(np.dot(chance, counts / counts.sum()))})
