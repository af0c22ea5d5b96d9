"""Verification trials made ready to be measured many times under different weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.operating_points import OperatingPoints, curve, own_type
from cross_modal_kd.metrics.sorted_scores import checked_trials


@dataclass(frozen=True)
class TrialScores:
    """Trials sorted into bins by the distinct target scores v_0 < v_1 < ...; linear memory, ties kept together.

    thresholds: (T,) the v_k, k from 0. is_target: (n,). target_bin: (targets,) k of each target.
    impostor_bin: (impostors,) 2k + 1 where an impostor ties with v_k, 2k where it lies between v_(k-1) and v_k. dtype:
    of the scores.
    """

    thresholds: np.ndarray
    is_target: np.ndarray
    target_bin: np.ndarray
    impostor_bin: np.ndarray
    dtype: np.dtype

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
        dtype, (scores, is_target) = own_type(scores), checked_trials(scores, labels)
        thresholds, target_bin = np.unique(scores[is_target], return_inverse=True)
        impostors = scores[~is_target]
        impostor_bin = np.searchsorted(thresholds, impostors, "left") + np.searchsorted(thresholds, impostors, "right")
        return cls(thresholds, is_target, target_bin, impostor_bin, dtype)

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
        return curve(self.thresholds, below, passed, self.dtype)
