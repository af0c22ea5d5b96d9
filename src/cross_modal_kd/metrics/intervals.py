"""Figures with their intervals: one value and the percentiles of its resamples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Interval:
    """value: on all the data; low, high: of the central ``level`` of the resamples."""

    value: float
    low: float
    high: float
    level: float


def percentile_interval(value: ArrayLike, resampled: ArrayLike, level: float = 0.95) -> Interval:
    """The (1 - level) / 2 and (1 + level) / 2 quantiles of the resamples.

    value: one number, or (S,) of S seeds; resampled: (R,) or (R, S). Seeds are averaged, in each resample too.
    Resamples that are NaN (a resample may hold no impostor at all) are left out; more than half of them is an error.
    """
    return _interval(_mean(value), _over_seeds(resampled, "resampled"), level)


def paired_difference(
    first: ArrayLike, second: ArrayLike, first_resampled: ArrayLike, second_resampled: ArrayLike, level: float = 0.95
) -> Interval:
    """second - first, each averaged over its seeds; both resampled with the same clusters, row by row."""
    before, after = _paired(first_resampled, second_resampled)
    return _interval(_mean(second) - _mean(first), after - before, level)


def relative_reduction(
    baseline: ArrayLike, arm: ArrayLike, baseline_resampled: ArrayLike, arm_resampled: ArrayLike, level: float = 0.95
) -> Interval:
    """(baseline - arm) / baseline of an error rate, as a share; the ratio is taken in every resample.

    Where the baseline's error is 0 in a resample, that resample is NaN and left out.
    """
    value = _mean(baseline)
    if not value > 0:
        raise ValueError(f"baseline: expected an error rate above 0 to be reduced, found {value}")
    before, after = _paired(baseline_resampled, arm_resampled)
    ratio = np.divide(before - after, before, out=np.full_like(before, np.nan), where=before > 0)
    return _interval((value - _mean(arm)) / value, ratio, level)


def _interval(value: float, resampled: np.ndarray, level: float) -> Interval:
    if not 0 < level < 1:
        raise ValueError(f"level: expected 0 < level < 1, found {level}")
    kept = resampled[np.isfinite(resampled)]
    if 2 * len(kept) < len(resampled) or not len(kept):
        raise ValueError(
            f"resampled: {len(resampled) - len(kept)} of {len(resampled)} resamples are NaN; "
            "too few clusters for an interval"
        )
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
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
