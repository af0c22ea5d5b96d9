"""Open-set verification and closed-set identification of one student."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig
from cross_modal_kd.metrics import (
    Metric,
    MetricSet,
    bootstrap_mean,
    bootstrap_verification,
    eer,
    identification,
    min_dcf,
    unit_rows,
)
from cross_modal_kd.tasks.subset import Subset
from cross_modal_kd.tasks.verification.scores import cosine_scores, trial_rows
from cross_modal_kd.tasks.verification.trials import draw_trials

COSTS = {"min_dcf_01": 0.01, "min_dcf_05": 0.05}


def verification_metrics(
    subset: Subset, values: np.ndarray, trials: pd.DataFrame, evaluation: EvaluationConfig
) -> MetricSet:
    """EER, minDCF, EER over impostors of one domain, rank-1 identification.

    Args:
        subset: n samples of the student's modality.
        values: (n, D) embeddings of the samples, not normalised.
        trials: pairs of the samples, as ``draw_trials`` gives them.
        evaluation: its seed draws the samples that enrol for identification.

    Returns:
        ``eer``, ``min_dcf_01``, ``min_dcf_05``, ``eer_same_domain``, ``identification_rank1``, each in [0, 1], with its
        chance level; or why one is not defined.
    """
    unit = unit_rows(values)
    enrol, test = trial_rows(subset.rows, trials)
    scores, target = cosine_scores(unit, enrol, test), trials["target"].to_numpy()
    first, second = subset.clusters[enrol], subset.clusters[test]
    hard = (target == 1) | trials["same_domain"].to_numpy()
    found = error_metrics(subset, scores, target, (first, second), COSTS)
    same = error_metrics(subset, scores[hard], target[hard], (first[hard], second[hard]), {})
    return found | same.renamed("_same_domain") | _identification(subset, unit, evaluation)


def trial_eer(subset: Subset, unit: np.ndarray, trials: pd.DataFrame) -> MetricSet:
    """EER of the trials.

    Args:
        subset: n samples.
        unit: (n, d) unit rows of the samples.
        trials: pairs of the samples, as ``draw_trials`` gives them.

    Returns:
        ``eer`` in [0, 1], chance 0.5; undefined where all trials are targets or all impostors.
    """
    enrol, test = trial_rows(subset.rows, trials)
    return _eer_of(subset, cosine_scores(unit, enrol, test), trials, enrol, test)


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
    return _eer_of(subset, cosine_scores(unit, enrol, test + len(enrol_values)), trials, enrol, test)


def teacher_trials(rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Trials between samples of the teacher, drawn as the student's are, with impostors of any domain.

    Args:
        rows: the teacher's samples, with the columns sample_id, label and domain.
        evaluation: ``max_impostors`` and ``seed`` of the draw.

    Returns:
        The table of trials, see ``draw_trials``.
    """
    return draw_trials(rows, evaluation.model_copy(update={"impostors": "any"}))


def _eer_of(subset: Subset, scores: np.ndarray, trials: pd.DataFrame, enrol: np.ndarray, test: np.ndarray) -> MetricSet:
    target, clusters = trials["target"].to_numpy(), subset.clusters
    return error_metrics(subset, scores, target, (clusters[enrol], clusters[test]), {})


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
    found = {"eer": Metric(eer(scores, target), resampled.eer[:, 0], evidence)}
    for name, p_target in costs.items():
        found[name] = Metric(min_dcf(scores, target, p_target), resampled.min_dcf[p_target][:, 0], evidence)
    return MetricSet(found, {"eer": 0.5} | dict.fromkeys(costs, 1.0))


def _identification(subset: Subset, unit: np.ndarray, evaluation: EvaluationConfig) -> MetricSet:
    name = "identification_rank1"
    labels = subset.rows["label"]
    if labels.nunique() < 2 or not labels.duplicated().any():
        return MetricSet(undefined={name: "no label has a second sample to look up, or there is only one label"})
    found = identification(unit, labels.to_numpy(), enrol=1, seed=evaluation.seed)
    probed = subset.clusters[found.probes]
    resampled = bootstrap_mean(found.right, probed, subset.weights)
    return MetricSet({name: Metric(found.accuracy, resampled, subset.evidence(probed))}, {name: found.chance})
