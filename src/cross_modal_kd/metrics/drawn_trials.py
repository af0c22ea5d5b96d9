"""Verification trials under the weights of a resample: their errors, without the curve of each resample."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np

from cross_modal_kd.metrics.operating_points import OperatingPoints
from cross_modal_kd.metrics.verification import eer_at, min_dcf_at

LOOKS = 64
"""Points of a curve, evenly along it, whose least cost bounds where the least of all can be."""
SLACK = 1 + 1e-9
"""Of that bound, for rounding."""


@dataclass(frozen=True)
class DrawnTrials:
    """Trials sorted once by their scores; a resample is a weight n_e n_t of the clusters e and t of each.

    targets, impostors: (2, t) and (2, i) clusters of enrolment and of test, by rising score. starts: (k,) the first
    impostor of each of k runs; nothing is asked of a part of a run, since no target's score lies within one. under,
    up_to: (t,) how many runs have lower scores than each target, and how many none above it. points: (2, P) of each
    point of the curve, as ``OperatingPoints`` has them, how many targets are rejected and how many runs are. Memory:
    six integers a trial.
    """

    targets: np.ndarray
    impostors: np.ndarray
    starts: np.ndarray
    under: np.ndarray
    up_to: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, is_target: np.ndarray, enrol: np.ndarray, test: np.ndarray) -> "DrawnTrials":
        """The trials of one set of scores.

        Args:
            scores: (n,) finite, higher is more alike.
            is_target: (n,), true for targets; some of each.
            enrol: (n,) cluster of the enrolment.
            test: (n,) cluster of the test.

        Returns:
            The trials, sorted.
        """
        of_targets, of_impostors = (_rising(scores, np.flatnonzero(which)) for which in (is_target, ~is_target))
        targets, impostors = scores[of_targets], scores[of_impostors]
        under, up_to = (np.searchsorted(impostors, targets, side) for side in ("left", "right"))
        first = np.flatnonzero(np.concatenate([[True], targets[1:] != targets[:-1]]))
        rejected = np.repeat(np.append(first, len(targets)), 2)
        passed = np.empty_like(rejected)
        passed[0], passed[-1] = 0, len(impostors)
        passed[1:-1:2], passed[2:-1:2] = under[first], up_to[first]
        one, other = (np.stack([enrol[order], test[order]]) for order in (of_targets, of_impostors))
        asked, places = np.unique(np.concatenate([passed, under, up_to]), return_inverse=True)
        passed, under, up_to = np.split(places, [len(passed), len(passed) + len(under)])
        up_to = under if np.array_equal(under, up_to) else up_to
        return cls(one, other, asked[:-1], under, up_to, np.stack([rejected, passed]))

    def errors(self, counts: np.ndarray) -> "DrawnErrors":
        """The errors of one resample.

        Args:
            counts: (C,) how often each cluster was drawn.

        Returns:
            What is asked of it.
        """
        passed = _running(np.add.reduceat(_weights(self.impostors, counts), self.starts))
        weights = _weights(self.targets, counts)
        below = weights @ passed.take(self.under, mode="clip")
        if self.up_to is not self.under:
            below = (below + weights @ passed.take(self.up_to, mode="clip")) / 2
        return DrawnErrors(self.points, _running(weights), passed, float(below))


@dataclass(frozen=True)
class DrawnErrors:
    """Errors of one resample.

    points: of ``DrawnTrials``. rejected: (t + 1,) weight of the targets that have a lower score than each, then of all.
    passed: (k + 1,) weight of the impostors before each of their runs, then of all. below: weight of the pairs of a
    target and an impostor with a lower score, a tie counting half.
    """

    points: np.ndarray
    rejected: np.ndarray
    passed: np.ndarray
    below: float

    @property
    def auc(self) -> float:
        """As ``roc_auc``; NaN where there is no target or no impostor."""
        return self.below / float(self.rejected[-1] * self.passed[-1]) if self._has_both else float("nan")

    def eer(self) -> float:
        """As ``eer``; NaN where there is no target or no impostor."""
        if not self._has_both:
            return float("nan")
        after = bisect_left(range(self.points.shape[1]), True, key=self._rejects_more)
        return eer_at(self._at(slice(after - 1, after + 1)))

    def min_dcf(self, p_target: float) -> float:
        """As ``min_dcf`` with costs of 1.

        A point of the curve with a cost c has p FRR <= c and (1 - p) FAR <= c, so that one of them bounds where a lower
        one can be.

        Args:
            p_target: p, in (0, 1).

        Returns:
            The cost in [0, 1]; NaN where there is no target or no impostor.

        Raises:
            ValueError: Where p_target is out of range.
        """
        if not self._has_both:
            return float("nan")
        count = self.points.shape[1]
        least = min_dcf_at(self._at(np.linspace(0, count - 1, min(LOOKS, count)).astype(np.intp)), p_target)
        bound = SLACK * least * min(p_target, 1 - p_target)
        most_rejected = self.rejected[-1] * bound / p_target
        least_passed = self.passed[-1] * (1 - bound / (1 - p_target))
        rejected, passed = self.points
        start = int(np.searchsorted(passed, np.searchsorted(self.passed, least_passed)))
        end = int(np.searchsorted(rejected, np.searchsorted(self.rejected, most_rejected, "right")))
        return min(least, min_dcf_at(self._at(slice(start, end)), p_target)) if start < end else least

    @property
    def _has_both(self) -> bool:
        return bool(self.rejected[-1] > 0 and self.passed[-1] > 0)

    def _rejects_more(self, point: int) -> bool:
        """Whether FRR >= FAR there, as from one point on it is."""
        frr, far = self._rates(point)
        return bool(frr >= far)

    def _at(self, which: slice | np.ndarray) -> OperatingPoints:
        """A part of the curve; numbers, which rise as they do, stand for the thresholds."""
        frr, far = self._rates(which)
        return OperatingPoints(np.arange(len(frr)), frr, far)

    def _rates(self, which: Any) -> tuple[Any, Any]:
        """FRR and FAR of some points."""
        rejected, passed = self.rejected[self.points[0][which]], self.passed[self.points[1][which]]
        return rejected / self.rejected[-1], (self.passed[-1] - passed) / self.passed[-1]


def _rising(scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(scores[rows], kind="stable")]


def _weights(sides: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(n,) n_e n_t; the clusters were looked at before, so that ``clip`` only spares looking again."""
    weights = counts.take(sides[0], mode="clip")
    weights *= counts.take(sides[1], mode="clip")
    return weights


def _running(weights: np.ndarray) -> np.ndarray:
    """(n + 1,) sums of the first 0, 1, ... weights."""
    sums = np.zeros(len(weights) + 1)
    np.cumsum(weights, out=sums[1:])
    return sums
