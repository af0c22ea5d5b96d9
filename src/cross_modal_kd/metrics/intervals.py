"""Metrics with their intervals: one value and the percentiles of its resamples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from cross_modal_kd.metrics.evidence import Evidence

NO_WIDTH = 1e-12
SAME = "all resamples give the same value, so that nothing is known of how it varies"


@dataclass(frozen=True)
class Interval:
    """A metric with its uncertainty.

    value: on all the data. low, high: of the central share ``level`` of the resamples; None where the data cannot bear
    an interval, for the ``reason``.
    """

    value: float
    low: float | None
    high: float | None
    level: float
    reason: str = ""


def percentile_interval(
    value: ArrayLike, resampled: ArrayLike, level: float = 0.95, evidence: Evidence | None = None
) -> Interval:
    """The (1 - level) / 2 and (1 + level) / 2 quantiles of the resamples.

    Seeds are averaged, in each resample too. Resamples that are NaN (a resample may hold no impostor at all) are left
    out; more than half of them is an error. With ``evidence`` it is a reason to give no interval instead, as are less
    evidence than an interval needs, and one without width (all resamples gave the same value).

    Args:
        value: One number, or (S,) of S seeds.
        resampled: (R,), or (R, S).
        level: Share of the resamples inside, in (0, 1).
        evidence: What the value rests on; None takes the resamples as they are.

    Returns:
        The interval, in the value's units; without ends, and with the reason, where there is none.

    Raises:
        ValueError: Where the level is out of range, shapes are others, or most resamples are NaN.

    >>> percentile_interval(2.0, [1.0, 2.0, 3.0], level=0.5)
    Interval(value=2.0, low=1.5, high=2.5, level=0.5, reason='')
    """
    return _interval(_mean(value), _over_seeds(resampled, "resampled"), level, evidence)


def mean_interval(values: ArrayLike, level: float = 0.95, evidence: Evidence | None = None) -> Interval:
    """mean +- t_{n-1, (1 + level) / 2} s / sqrt(n), s the standard deviation with n - 1: Student's interval of a mean.

    What a few trainings tell of others: resampling them instead is too narrow by the root of (n - 1) / n, and of two or
    three has no ends but the least and the largest.

    Args:
        values: (n,) of n trainings that differ in their seed alone, at least two.
        level: Share of such intervals that hold the mean, in (0, 1), where values are about normal.
        evidence: What each value rests on; with it, an interval without width is none. None takes values as they are.

    Returns:
        The interval, in the values' units; without ends, and with the reason, where there is none.

    Raises:
        ValueError: Where the level is out of range.

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (2.0, -0.48, 4.48)
    """
    if not 0 < level < 1:
        raise ValueError(f"level: expected 0 < level < 1, found {level}")
    array = np.asarray(values, dtype=np.float64)
    value = _mean(array)
    if len(array) < 2 or not np.isfinite(array).all():
        reason = "one seed" if len(array) < 2 else "of one seed there is no value"
        return Interval(value, None, None, level, reason)
    half = float(stdtrit(len(array) - 1, (1 + level) / 2) * array.std(ddof=1) / np.sqrt(len(array)))
    if evidence is not None and 2 * half <= NO_WIDTH * max(1.0, abs(value)):
        return Interval(value, None, None, level, SAME)
    return Interval(value, value - half, value + half, level)


def joined_interval(first: Interval, second: Interval) -> Interval:
    """The interval of one value that varies in two independent ways, from its interval under each alone.

    low = value - sqrt((value - low_1)^2 + (value - low_2)^2), high alike: the method of variance estimates recovery
    (Zou and Donner, Statistics in Medicine 2008). Where both are symmetric variances add.

    Args:
        first: Under one way alone; its value is that of the result.
        second: Under the other alone, of the same level; the distances of its ends from its own value count.

    Returns:
        The interval; without ends, and with the reason, where one of the two has none.

    >>> joined_interval(Interval(0.0, -3.0, 3.0, 0.95), Interval(0.0, -4.0, 8.0, 0.95)).low
    -5.0
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Interval(first.value, None, None, first.level, first.reason or second.reason)
    below, above = first.value - first.low, first.high - first.value
    low = first.value - float(np.hypot(below, second.value - second.low))
    high = first.value + float(np.hypot(above, second.high - second.value))
    return Interval(first.value, low, high, first.level)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    first_resampled: ArrayLike,
    second_resampled: ArrayLike,
    level: float = 0.95,
    evidence: Evidence | None = None,
) -> Interval:
    """second - first, each averaged over its seeds; both resampled with the same clusters, row by row.

    Args:
        first: One number, or (S,) of S seeds.
        second: One number, or (T,) of T seeds.
        first_resampled: (R,), or (R, S).
        second_resampled: (R,), or (R, T), in the same resamples.
        level: Share of the resamples inside, in (0, 1).
        evidence: What both rest on, the weaker of the two.

    Returns:
        The difference with its interval, in the values' units.

    Raises:
        ValueError: As ``percentile_interval``, and where the numbers of resamples differ.

    >>> paired_difference(1.0, 2.0, [1.0, 2.0], [3.0, 4.0]).low
    2.0
    """
    before, after = _paired(first_resampled, second_resampled)
    return _interval(_mean(second) - _mean(first), after - before, level, evidence)


def relative_reduction(
    baseline: ArrayLike,
    arm: ArrayLike,
    baseline_resampled: ArrayLike,
    arm_resampled: ArrayLike,
    level: float = 0.95,
    evidence: Evidence | None = None,
) -> Interval:
    """(baseline - arm) / baseline of an error rate; the ratio is taken in every resample.

    Where the baseline's error is 0 in a resample, that resample is NaN and left out.

    Args:
        baseline: An error rate > 0, or (S,) of S seeds.
        arm: An error rate >= 0, or (T,) of T seeds.
        baseline_resampled: (R,), or (R, S).
        arm_resampled: (R,), or (R, T), in the same resamples.
        level: Share of the resamples inside, in (0, 1).
        evidence: What both rest on, the weaker of the two.

    Returns:
        A share, 1 where the arm makes no error, below 0 where it makes more; with its interval.

    Raises:
        ValueError: As ``paired_difference``, and where the baseline makes no error.

    >>> relative_reduction(0.5, 0.25, [0.5, 0.4], [0.25, 0.2]).value
    0.5
    """
    value = _mean(baseline)
    if not value > 0:
        raise ValueError(f"baseline: expected an error rate above 0 to be reduced, found {value}")
    before, after = _paired(baseline_resampled, arm_resampled)
    ratio = np.divide(before - after, before, out=np.full_like(before, np.nan), where=before > 0)
    return _interval((value - _mean(arm)) / value, ratio, level, evidence)


def _interval(value: float, resampled: np.ndarray, level: float, evidence: Evidence | None) -> Interval:
    if not 0 < level < 1:
        raise ValueError(f"level: expected 0 < level < 1, found {level}")
    usable = np.isfinite(resampled)
    reason = evidence.lack(usable) if evidence is not None else ""
    if reason:
        return Interval(value, None, None, level, reason)
    if 2 * usable.sum() < len(usable) or not usable.any():
        reason = f"{(~usable).sum()} of {len(usable)} resamples are NaN; too few clusters for an interval"
        if evidence is None:
            raise ValueError(f"resampled: {reason}")
        return Interval(value, None, None, level, reason)
    low, high = np.quantile(resampled[usable], [(1 - level) / 2, (1 + level) / 2])
    if evidence is not None and high - low <= NO_WIDTH * max(1.0, abs(low)):
        return Interval(value, None, None, level, SAME)
    return Interval(value, float(low), float(high), level)


def _mean(value: ArrayLike) -> float:
    return float(np.asarray(value, dtype=np.float64).mean())


def _over_seeds(resampled: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(resampled, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name}: expected shape (R,) or (R, S), found {array.shape}")
    return array if array.ndim == 1 else array.mean(1)


def _paired(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    before, after = _over_seeds(first, "first resampled"), _over_seeds(second, "second resampled")
    if before.shape != after.shape:
        raise ValueError(f"resampled: expected the same number of resamples, found {len(before)} and {len(after)}")
    return before, after
