"""The curve of a verification's two errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri


class OperatingPoints(NamedTuple):
    """The curve of (false rejection, false acceptance) as the threshold rises, from (0, 1) to (1, 0).

    A trial is accepted if score >= threshold. There is a point at every target score and one just above it; every
    other operating point lies on the straight lines between them, and none of those has a lower cost.

    thresholds: (P,) rising, from -inf to inf. frr: (P,) false rejection rate in [0, 1], rising. far: (P,) false
    acceptance rate in [0, 1], falling.
    """

    thresholds: np.ndarray
    frr: np.ndarray
    far: np.ndarray

    def thinned(self, most: int, trials: int) -> "OperatingPoints":
        """Some of the points, evenly along the curve as a DET plot shows it (on normal deviate axes).

        Args:
            most: Points that are kept, at least 2; all where there are no more.
            trials: Of the curve: a rate of 0 is drawn at half a trial.

        Returns:
            Points of this curve; beside ``most`` there are both ends, and the two between which FRR meets FAR.

        >>> points = OperatingPoints(np.arange(1001.0), np.linspace(0, 1, 1001), np.linspace(1, 0, 1001))
        >>> len(points.thinned(5, trials=10_000).frr)
        6
        """
        if len(self.thresholds) <= most:
            return self
        edge = 0.5 / trials
        across, up = (ndtri(np.clip(rate, edge, 1 - edge)) for rate in (self.far, self.frr))
        along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(across), np.diff(up)))])
        kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], most)).clip(max=len(along) - 1))
        crossing = int(np.argmax(self.frr >= self.far))
        kept = np.union1d(kept, [0, max(crossing - 1, 0), crossing, len(along) - 1])
        return OperatingPoints(*(each[kept] for each in self))


def own_type(scores: ArrayLike) -> np.dtype:
    """The type in which scores are compared with a threshold.

    Args:
        scores: (n,) of any type.

    Returns:
        Their own where it is one of floats, else float64.
    """
    dtype = np.asarray(scores).dtype
    return dtype if dtype in (np.float16, np.float32) else np.dtype(np.float64)


def just_above(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The next number of a type: that of float64 would be rounded back to a float32 score that it is compared with.

    Args:
        values: float64, numbers of that type.
        dtype: of ``own_type``.

    Returns:
        float64, of the same shape.

    >>> bool(np.float32(0.3) >= np.float32(just_above(np.float64(np.float32(0.3)), np.dtype(np.float32))))
    False
    """
    return np.nextafter(values.astype(dtype), dtype.type(np.inf)).astype(np.float64)


def curve(thresholds: np.ndarray, below: np.ndarray, passed: np.ndarray, dtype: np.dtype) -> OperatingPoints:
    """The points of T distinct target scores v_0 < v_1 < ..., from cumulated weights.

    Args:
        thresholds: (T,) the v_k.
        below: (T + 1,) of the targets under v_k, then of all.
        passed: (2 T + 2,) 0, of the impostors under v_0, of those up to v_0, under v_1 ..., of all.
        dtype: of the scores, ``own_type``.

    Returns:
        The curve; a rate is NaN where its weights sum to 0.
    """
    frr = np.repeat(below, 2)
    with np.errstate(invalid="ignore"):
        frr /= below[-1]
        far = (passed[-1] - passed) / passed[-1]
    doubled = np.repeat(thresholds, 2)
    doubled[1::2] = just_above(doubled[1::2], dtype)
    return OperatingPoints(np.concatenate([[-np.inf], doubled, [np.inf]]), frr, far)
