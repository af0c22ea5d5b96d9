"""Verification: is this pair the same identity? Scores: higher is more alike; labels: 1 target, 0 impostor."""

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import sample_weights
from cross_modal_kd.metrics.operating_points import OperatingPoints
from cross_modal_kd.metrics.sorted_scores import SortedScores
from cross_modal_kd.metrics.trial_scores import TrialScores


def eer(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Equal error rate in [0, 1], linearly interpolated.

    With a threshold at every distinct score (accepted if score >= threshold) and one above all of them, FRR rises and
    FAR falls. Let a, b be the two neighbouring points with FRR_a < FAR_a and FRR_b >= FAR_b: the value is where the
    straight line from a to b meets FRR = FAR. Equal scores are one threshold, so their order has no effect.

    Args:
        scores: (n,), higher is more alike; finite.
        labels: (n,), 1 target, 0 impostor; some of each.
        weights: (n,) >= 0 of the trials, 2 is the trial twice; None is ones.

    Returns:
        A rate in [0, 1]. Memory grows with n.

    Raises:
        ValueError: Where scores are not finite, a label is neither, or there are no targets or impostors.

    >>> eer([0.9, 0.6, 0.7, 0.1], [1, 1, 0, 0])
    0.5
    """
    return eer_at(_points(scores, labels, weights))


def min_dcf(
    scores: ArrayLike,
    labels: ArrayLike,
    p_target: float = 0.01,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
    weights: ArrayLike | None = None,
) -> float:
    """Least detection cost over all thresholds, over that of the better of accepting or rejecting everything.

    min over thresholds of c_miss p FRR + c_fa (1 - p) FAR, over min(c_miss p, c_fa (1 - p)). As NIST SRE.

    Args:
        scores: (n,), higher is more alike; finite.
        labels: (n,), 1 target, 0 impostor; some of each.
        p_target: p, how likely a target is in use, in (0, 1).
        c_miss: Cost of a false rejection, > 0.
        c_fa: Cost of a false acceptance, > 0.
        weights: (n,) >= 0 of the trials, 2 is the trial twice; None is ones.

    Returns:
        A cost in [0, 1]. Memory grows with n.

    Raises:
        ValueError: As ``eer``, and where p_target or a cost is out of range.

    >>> min_dcf([0.9, 0.6, 0.7, 0.1], [1, 1, 0, 0], p_target=0.5)
    0.5
    """
    return min_dcf_at(_points(scores, labels, weights), p_target, c_miss, c_fa)


def roc_auc(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Probability that a target scores above an impostor, a tie counting half.

    Args:
        scores: (n,), higher is more alike; finite.
        labels: (n,), 1 target, 0 impostor; some of each.
        weights: (n,) >= 0 of the trials, 2 is the trial twice; None is ones.

    Returns:
        A probability in [0, 1]. Memory grows with n.

    Raises:
        ValueError: As ``eer``.

    >>> roc_auc([0.9, 0.6, 0.7, 0.1], [1, 1, 0, 0])
    0.75
    """
    return roc_auc_at(_points(scores, labels, weights))


def det_curve(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> OperatingPoints:
    """The corners of the detection error trade-off curve, about 2 a target.

    Args:
        scores: (n,), higher is more alike; finite.
        labels: (n,), 1 target, 0 impostor; some of each.
        weights: (n,) >= 0 of the trials, 2 is the trial twice; None is ones.

    Returns:
        Rising thresholds, FRR and FAR. Memory grows with n.

    Raises:
        ValueError: As ``eer``.

    >>> det_curve([0.9, 0.1], [1, 0]).far.tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return _points(scores, labels, weights)


def eer_at(points: OperatingPoints) -> float:
    """Where the curve meets FRR = FAR.

    Args:
        points: The curve.

    Returns:
        A rate in [0, 1]; NaN for a curve of NaN.
    """
    gap = points.frr - points.far
    after = int(np.argmax(gap >= 0))
    if after == 0:
        return float("nan")
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(points.frr[after - 1] + share * (points.frr[after] - points.frr[after - 1]))


def min_dcf_at(points: OperatingPoints, p_target: float, c_miss: float = 1.0, c_fa: float = 1.0) -> float:
    """Least normalised cost on the curve; see ``min_dcf``.

    Args:
        points: The curve.
        p_target: p, how likely a target is in use, in (0, 1).
        c_miss: Cost of a false rejection, > 0.
        c_fa: Cost of a false acceptance, > 0.

    Returns:
        A cost in [0, 1].

    Raises:
        ValueError: Where p_target or a cost is out of range.
    """
    if not 0 < p_target < 1:
        raise ValueError(f"p_target: expected 0 < p < 1, found {p_target}")
    if not (c_miss > 0 and c_fa > 0):
        raise ValueError(f"c_miss, c_fa: expected numbers > 0, found {c_miss} and {c_fa}")
    miss, false_alarm = c_miss * p_target, c_fa * (1 - p_target)
    return float((miss * points.frr + false_alarm * points.far).min() / min(miss, false_alarm))


def roc_auc_at(points: OperatingPoints) -> float:
    """Area under the curve of 1 - FRR over FAR, by trapezoids (exact for ties counting half).

    Args:
        points: The curve.

    Returns:
        An area in [0, 1].
    """
    return float(-np.trapezoid(1 - points.frr, points.far))


def _points(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> OperatingPoints:
    if weights is None:
        return SortedScores.of(scores, labels).points()
    trials = TrialScores.of(scores, labels)
    weights = sample_weights(weights, trials.is_target, "scores")
    target, impostor = weights[trials.is_target], weights[~trials.is_target]
    if not (target.any() and impostor.any()):
        raise ValueError("weights: expected targets and impostors with weight above 0, found none of one of them")
    return trials.points(target, impostor)
