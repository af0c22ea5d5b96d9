"""Verification trials made ready to be measured many times under different weights."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import finite, same_length


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


@dataclass(frozen=True)
class TrialScores:
    """Trials sorted into bins by the distinct target scores v_0 < v_1 < ...; linear memory, ties kept together.

    thresholds: (T,) the v_k, k from 0. is_target: (n,). target_bin: (targets,) k of each target.
    impostor_bin: (impostors,) 2k + 1 where an impostor ties with v_k, 2k where it lies between v_(k-1) and v_k.
    """

    thresholds: np.ndarray
    is_target: np.ndarray
    target_bin: np.ndarray
    impostor_bin: np.ndarray

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> "TrialScores":
        """The trials of one set of scores, sorted once.

        Args:
            scores: (n,), higher is more alike; finite.
            labels: (n,), 1 target, 0 impostor; some of each.

        Returns:
            The bins; memory grows with n.

        Raises:
            ValueError: Where scores are not finite, a label is neither, or one of them is missing.
        """
        scores = finite(scores, "scores")
        labels = same_length(labels, scores, "labels", "scores")
        is_target = labels == 1
        if not (is_target | (labels == 0)).all():
            raise ValueError(f"labels: expected 1 (target) or 0 (impostor), found {np.unique(labels)[:5].tolist()}")
        targets = int(is_target.sum())
        if targets in (0, len(labels)):
            raise ValueError(f"labels: expected targets and impostors, found {targets} targets in {len(labels)} trials")
        thresholds, target_bin = np.unique(scores[is_target], return_inverse=True)
        impostors = scores[~is_target]
        impostor_bin = np.searchsorted(thresholds, impostors, "left") + np.searchsorted(thresholds, impostors, "right")
        return cls(thresholds, is_target, target_bin, impostor_bin)

    def points(
        self, target_weights: np.ndarray | None = None, impostor_weights: np.ndarray | None = None
    ) -> OperatingPoints:
        """Operating points under weights of the trials.

        Args:
            target_weights: (targets,) >= 0, in the order of the trials; None is ones.
            impostor_weights: (impostors,) >= 0, in the order of the trials; None is ones.

        Returns:
            The curve; a rate is NaN where its weights sum to 0.
        """
        count = len(self.thresholds)
        below = np.zeros(count + 1)
        np.cumsum(np.bincount(self.target_bin, target_weights, count), out=below[1:])
        passed = np.zeros(2 * count + 2)
        np.cumsum(np.bincount(self.impostor_bin, impostor_weights, 2 * count + 1), out=passed[1:])
        frr = np.repeat(below, 2)
        with np.errstate(invalid="ignore"):
            frr /= below[-1]
            far = (passed[-1] - passed) / passed[-1]
        thresholds = np.repeat(self.thresholds, 2)
        thresholds[1::2] = np.nextafter(thresholds[1::2], np.inf)
        return OperatingPoints(np.concatenate([[-np.inf], thresholds, [np.inf]]), frr, far)
