"""From a score to a decision and a probability, as ``student.json`` has them."""

import math

import numpy as np

from cross_modal_kd.config import nearest
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.record import Operating, Threshold


def threshold_named(operating: Operating, name: str) -> Threshold:
    """One of a student's thresholds.

    Args:
        operating: of the student.
        name: of the threshold.

    Returns:
        The threshold, which may have a reason in place of a value.

    Raises:
        StudentError: there is none of that name; the message lists those there are.
    """
    if not operating.thresholds:
        return Threshold(name=name, reason=operating.calibration.reason)
    there = {threshold.name: threshold for threshold in operating.thresholds}
    if name not in there:
        raise StudentError(f"there is no threshold {name!r}. {nearest(name, list(there))}")
    return there[name]


def accepts(threshold: Threshold, score: float) -> bool | None:
    """Whether a score reaches a threshold.

    Args:
        threshold: with or without a value.
        score: a cosine.

    Returns:
        None without a value.
    """
    return None if threshold.value is None else score >= threshold.value


def probability_of(operating: Operating, score: float) -> float | None:
    """P(same | score) at even odds.

    Args:
        operating: with or without a calibration.
        score: a cosine.

    Returns:
        A probability in [0, 1], NaN of a score that is; None without a calibration.
    """
    slope, intercept = operating.calibration.slope, operating.calibration.intercept
    if slope is None or intercept is None:
        return None
    return 1 / (1 + math.exp(-float(np.clip(slope * score + intercept, -700.0, 700.0))))
