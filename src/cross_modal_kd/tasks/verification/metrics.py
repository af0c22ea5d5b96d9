"""Open-set verification and closed-set identification of one student."""

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.metrics import (
    Figures,
    Measured,
    bootstrap_mean,
    bootstrap_verification,
    eer,
    identification,
    min_dcf,
    unit_rows,
)
from cross_modal_kd.tasks.scores import cosine_scores, trial_rows
from cross_modal_kd.tasks.subset import Subset

COSTS = {"min_dcf_01": 0.01, "min_dcf_05": 0.05}


def verification_figures(
    subset: Subset, values: np.ndarray, trials: pd.DataFrame, evaluation: EvaluationConfig
) -> Figures:
    """EER, minDCF, EER over impostors of one domain, rank-1 identification. values: (n, d) of the subset's rows."""
    unit = unit_rows(values)
    enrol, test = trial_rows(subset.rows, trials)
    scores, target = cosine_scores(unit, enrol, test), trials["target"].to_numpy()
    first, second = subset.clusters[enrol], subset.clusters[test]
    hard = (target == 1) | trials["same_domain"].to_numpy()
    figures = error_figures(scores, target, first, second, subset.weights, COSTS)
    same = error_figures(scores[hard], target[hard], first[hard], second[hard], subset.weights, {})
    return figures | same.renamed("_same_domain") | _identification(subset, unit, evaluation)


def error_figures(
    scores: np.ndarray,
    target: np.ndarray,
    enrol_cluster: np.ndarray,
    test_cluster: np.ndarray,
    weights: np.ndarray,
    costs: dict[str, float],
) -> Figures:
    """EER and the minDCF of ``costs`` (name: p_target) of the trials."""
    targets = int(target.sum())
    if targets in (0, len(target)):
        reason = f"there are {targets} target and {len(target) - targets} impostor trials; both are needed"
        return Figures(undefined=dict.fromkeys(["eer", *costs], reason))
    resampled = bootstrap_verification(
        [scores], target, enrol_cluster, test_cluster, weights, p_targets=tuple(costs.values())
    )
    measured = {"eer": Measured(eer(scores, target), resampled.eer[:, 0])}
    for name, p_target in costs.items():
        measured[name] = Measured(min_dcf(scores, target, p_target), resampled.min_dcf[p_target][:, 0])
    return Figures(measured, {"eer": 0.5} | dict.fromkeys(costs, 1.0))


def _identification(subset: Subset, unit: np.ndarray, evaluation: EvaluationConfig) -> Figures:
    name = "identification_rank1"
    labels = subset.rows["label"]
    if labels.nunique() < 2 or not labels.duplicated().any():
        return Figures(undefined={name: "no label has a second sample to look up, or there is only one label"})
    found = identification(unit, labels.to_numpy(), enrol=1, seed=evaluation.seed)
    resampled = bootstrap_mean(found.right, subset.clusters[found.probes], subset.weights)
    return Figures({name: Measured(found.accuracy, resampled)}, {name: found.chance})
