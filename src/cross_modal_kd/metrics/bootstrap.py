"""Cluster bootstrap: identities are drawn with replacement, and every sample or trial follows its identity.

Drawing trials instead would take the many trials of one speaker for independent evidence. A resample is a vector of
counts, how often each cluster was drawn; statistics take them as weights, so nothing is copied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import class_indices, finite
from cross_modal_kd.metrics.drawn_trials import DrawnTrials
from cross_modal_kd.metrics.sorted_scores import checked_trials


def cluster_weights(n_clusters: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each cluster is drawn: multinomial over C equally likely clusters.

    The same seed for every arm and metric makes their differences paired.

    Args:
        n_clusters: C >= 2.
        n_resamples: R >= 1.
        seed: Of the draw, >= 0.

    Returns:
        (R, C) counts, each row summing to C. Memory grows with R C.

    Raises:
        ValueError: For fewer than two clusters or no resample.

    >>> cluster_weights(3, 2, seed=0).sum(axis=1).tolist()
    [3, 3]
    """
    if n_clusters < 2 or n_resamples < 1:
        raise ValueError(
            f"n_clusters, n_resamples: expected at least 2 clusters and 1 resample, found {n_clusters}, {n_resamples}"
        )
    chances = np.full(n_clusters, 1 / n_clusters)
    return np.random.default_rng(seed).multinomial(n_clusters, chances, size=n_resamples)


@dataclass(frozen=True)
class VerificationBootstrap:
    """What ``bootstrap_verification`` found in R resamples of S score sets.

    eer, auc: (R, S), in [0, 1]. min_dcf: (R, S) by its p_target, in [0, 1]. All are NaN where a resample holds no
    target or no impostor.
    """

    eer: np.ndarray
    auc: np.ndarray
    min_dcf: dict[float, np.ndarray]


def bootstrap_verification(
    score_sets: Sequence[ArrayLike],
    labels: ArrayLike,
    enrol_cluster: ArrayLike,
    test_cluster: ArrayLike,
    weights: np.ndarray,
    p_targets: Sequence[float] = (0.01, 0.05),
) -> VerificationBootstrap:
    """EER, AUC and minDCF of S sets of scores (students, seeds) of the same n trials, in every resample.

    A trial between clusters c, e weighs n_c n_e, one within c weighs n_c. Each set is sorted once; a resample costs one
    running sum of its trials, in which EER and minDCF are found by bisection. Memory grows with S n + R (S + C).

    Args:
        score_sets: S arrays (n,), higher is more alike.
        labels: (n,), 1 target, 0 impostor.
        enrol_cluster: (n,) integers in [0, C), the cluster of the enrolment.
        test_cluster: (n,) integers in [0, C), the cluster of the test sample.
        weights: (R, C) counts of ``cluster_weights``.
        p_targets: Of the detection costs, each in (0, 1).

    Returns:
        EER, AUC and minDCF, each (R, S).

    Raises:
        ValueError: Without a score set, and where shapes, labels or clusters do not fit or scores are not finite.

    >>> pairs = ([0.9, 0.8, 0.1], [1, 1, 0], [0, 1, 0], [0, 1, 1])
    >>> found = bootstrap_verification([pairs[0]], *pairs[1:], weights=np.array([[1, 1], [2, 0]]))
    >>> found.eer.tolist()
    [[0.0], [nan]]
    """
    checked = [checked_trials(scores, labels) for scores in score_sets]
    if not checked:
        raise ValueError("score_sets: expected at least one array of scores, found none")
    is_target = checked[0][1]
    clusters = weights.shape[1]
    enrol = class_indices(enrol_cluster, is_target, clusters, "enrol_cluster", "scores")
    test = class_indices(test_cluster, is_target, clusters, "test_cluster", "scores")
    # A trial within one cluster meets an extra cluster that is drawn exactly once: n_c * 1.
    test = np.where(enrol == test, clusters, test)
    trials = [DrawnTrials.of(scores, is_target, enrol, test) for scores, _ in checked]

    shape = (len(weights), len(trials))
    result = VerificationBootstrap(np.empty(shape), np.empty(shape), {p: np.empty(shape) for p in p_targets})
    for row, counts in enumerate(np.pad(weights.astype(np.float64), ((0, 0), (0, 1)), constant_values=1)):
        for column, trial in enumerate(trials):
            drawn = trial.errors(counts)
            result.eer[row, column] = drawn.eer()
            result.auc[row, column] = drawn.auc
            for p_target, values in result.min_dcf.items():
                values[row, column] = drawn.min_dcf(p_target)
    return result


def bootstrap_mean(values: ArrayLike, clusters: ArrayLike, weights: np.ndarray) -> np.ndarray:
    """The mean of per-sample values in every resample.

    Args:
        values: (n,), or (n, S) of S seeds or students; finite.
        clusters: (n,) integers in [0, C), the cluster of each sample.
        weights: (R, C) counts of ``cluster_weights``.

    Returns:
        (R,), or (R, S); NaN where a resample holds no sample. Memory grows with (n + R + C) S.

    Raises:
        ValueError: Where values are not finite or the clusters do not fit.

    >>> bootstrap_mean([1.0, 3.0, 8.0], [0, 0, 1], np.array([[1, 1], [2, 0]])).tolist()
    [4.0, 2.0]
    """
    values = finite(values, "values", ndim=2 if np.ndim(values) == 2 else 1)
    clusters = class_indices(clusters, values, weights.shape[1], "clusters", "values")
    columns = values.reshape(len(values), -1)
    sums = np.stack([np.bincount(clusters, column, weights.shape[1]) for column in columns.T], axis=1)
    counts = np.bincount(clusters, minlength=weights.shape[1])
    with np.errstate(invalid="ignore"):
        means = (weights @ sums) / (weights @ counts)[:, None]
    return means[:, 0] if values.ndim == 1 else means


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], float], clusters: ArrayLike, weights: np.ndarray
) -> np.ndarray:
    """A statistic in every resample, for what is no mean: macro-F1, calibration error.

    Args:
        statistic: From sample weights (n,), counts >= 0, to one number.
        clusters: (n,) integers in [0, C), the cluster of each sample.
        weights: (R, C) counts of ``cluster_weights``.

    Returns:
        (R,); NaN, without a call, where a resample holds no sample.

    Raises:
        ValueError: Where the clusters do not fit.

    >>> bootstrap_statistic(lambda counts: counts.max(), [0, 1, 1], np.array([[2, 0], [1, 1]])).tolist()
    [2.0, 1.0]
    """
    clusters = class_indices(clusters, np.asarray(clusters), weights.shape[1], "clusters", "clusters")
    result = np.full(len(weights), np.nan)
    for row, counts in enumerate(weights):
        sample_weights = counts[clusters]
        if sample_weights.any():
            result[row] = statistic(sample_weights)
    return result


def without_bias(value: float, resampled: np.ndarray) -> np.ndarray:
    """r - 2 b, clipped to [0, 1], with b the mean of r - value: resamples of an error that chance can only raise.

    The calibration error sums absolute gaps, so that noise raises it: the value by about b above the truth, and the
    resamples by as much above the value. Of a calibrated classifier the interval of resamples as they are lies above
    the truth, and in one case of five above the value itself.

    Args:
        value: Of all the data, in [0, 1].
        resampled: (R,) r, of ``bootstrap_statistic``; NaN stays.

    Returns:
        (R,); in simulations of 12 to 300 clusters 95 % intervals of these held an error of 0.03 in 70 to 91 % of cases
        (of resamples as they are 0 to 41 %), one above 0.1 in 86 to 95 % (67 to 96 %), and one of 0, which lies at the
        edge, in 30 to 43 % (never).

    >>> without_bias(0.2, np.array([0.1, 0.3, 0.5])).round(2).tolist()
    [0.0, 0.1, 0.3]
    """
    there = resampled[np.isfinite(resampled)]
    return (resampled - 2 * (there.mean() - value) if len(there) else resampled).clip(0, 1)
