"""Verification trials of equal weight, sorted: curve, rates and thresholds of millions of scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import finite, same_length
from cross_modal_kd.metrics.operating_points import OperatingPoints, curve, just_above, own_type


def checked_trials(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Scores and which are targets, if there is something to be measured.

    Args:
        scores: (n,), higher is more alike; finite.
        labels: (n,), 1 target, 0 impostor; some of each.

    Returns:
        Scores as float64, and (n,) true for targets.

    Raises:
        ValueError: Where scores are not finite, a label is neither, or one of them is missing.
    """
    scores = finite(scores, "scores")
    labels = same_length(labels, scores, "labels", "scores")
    is_target = labels == 1
    if not (is_target | (labels == 0)).all():
        raise ValueError(f"labels: expected 1 (target) or 0 (impostor), found {np.unique(labels)[:5].tolist()}")
    targets = int(np.count_nonzero(is_target))
    if targets in (0, len(labels)):
        raise ValueError(f"labels: expected targets and impostors, found {targets} targets in {len(labels)} trials")
    return scores, is_target


@dataclass(frozen=True)
class SortedScores:
    """The scores of targets and of impostors, each sorted once; what is asked of them then is a search.

    A trial is accepted if score >= threshold. targets: (t,) rising. impostors: (i,) rising. dtype: of the scores.
    """

    targets: np.ndarray
    impostors: np.ndarray
    dtype: np.dtype

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> "SortedScores":
        """The trials of one set of scores.

        Args:
            scores: (n,), higher is more alike; finite.
            labels: (n,), 1 target, 0 impostor; some of each.

        Returns:
            Both, sorted; memory grows with n.

        Raises:
            ValueError: Where scores are not finite, a label is neither, or one of them is missing.

        >>> SortedScores.of([0.9, 0.1, 0.2], [1, 0, 0]).impostors.tolist()
        [0.1, 0.2]
        """
        dtype, (scores, is_target) = own_type(scores), checked_trials(scores, labels)
        targets, impostors = scores[is_target], scores[~is_target]
        targets.sort()
        impostors.sort()
        return cls(targets, impostors, dtype)

    def points(self) -> OperatingPoints:
        """The curve of their errors."""
        first = np.flatnonzero(np.concatenate([[True], self.targets[1:] != self.targets[:-1]]))
        thresholds, total = self.targets[first], len(self.impostors)
        passed = np.empty(2 * len(first) + 2)
        passed[0], passed[-1] = 0, total
        passed[1:-1:2] = np.searchsorted(self.impostors, thresholds, "left")
        passed[2:-1:2] = np.searchsorted(self.impostors, thresholds, "right")
        return curve(thresholds, np.append(first, len(self.targets)).astype(np.float64), passed, self.dtype)

    def threshold_at(self, far: float) -> float:
        """The lowest threshold at which no more than that share of the impostors is accepted.

        Args:
            far: False-acceptance rate, in [0, 1).

        Returns:
            Just above the impostor that comes next, in the type of the scores.

        Raises:
            ValueError: Where the rate is out of range.

        >>> scores = SortedScores.of([0.9, 0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0, 0])
        >>> scores.rates(scores.threshold_at(0.25))
        (0.25, 0.0)
        """
        if not 0 <= far < 1:
            raise ValueError(f"far: expected a rate in [0, 1), found {far}")
        count = len(self.impostors)
        allowed = min(int(np.floor(far * count + 1e-9)), count - 1)
        return float(just_above(self.impostors[-1 - allowed], self.dtype))

    def rates(self, threshold: float) -> tuple[float, float]:
        """Errors where pairs are accepted from a threshold on.

        Args:
            threshold: Any.

        Returns:
            False-acceptance and false-rejection rate, each in [0, 1].
        """
        accepted = len(self.impostors) - np.searchsorted(self.impostors, threshold, "left")
        missed = np.searchsorted(self.targets, threshold, "left")
        return float(accepted / len(self.impostors)), float(missed / len(self.targets))
