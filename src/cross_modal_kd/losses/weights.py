"""Quality-based adaptive weights."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from cross_modal_kd.losses.precision import full

Values = TypeVar("Values", np.ndarray, Tensor)


def quality_weights(quality: Values, gamma: float, w_min: float = 0.1, w_max: float = 10.0) -> Values:
    """w = clip(q^gamma / mean(q^gamma), w_min, w_max), renormalised to mean 1.

    Our reading; the source's formula was not available.

    Args:
        quality: (B,) in [0, 1], NumPy or torch.
        gamma: >= 0; 0 gives ones, a larger gamma leans harder on the good samples.
        w_min: In [0, 1]; holds before the renormalisation.
        w_max: >= 1; holds before the renormalisation.

    Returns:
        (B,) weights >= 0 of mean 1, of the kind that ``quality`` is; ones where every quality is 0.

    Raises:
        ValueError: If a quality or another argument is out of range.

    >>> quality_weights(np.array([0.25, 0.75]), gamma=1.0).tolist()
    [0.5, 1.5]
    """
    if not gamma >= 0:
        raise ValueError(f"gamma: expected a number >= 0 (0 is off), found {gamma}")
    if not 0 <= w_min <= 1 <= w_max:
        raise ValueError(f"w_min, w_max: expected 0 <= w_min <= 1 <= w_max, found {w_min} and {w_max}")
    quality = _checked(quality, "quality")
    if not len(quality):
        return quality
    power = quality**gamma
    least = torch.finfo(power.dtype).tiny if isinstance(power, Tensor) else np.finfo(power.dtype).tiny
    if not power.mean() >= least:  # their type has no such numbers
        best = quality.max()
        power = (quality / best) ** gamma if best > 0 else power + 1
    weights = (power / power.mean()).clip(w_min, w_max)
    return weights / weights.mean()


def distillation_quality(student: Values, teacher: Values) -> Values:
    """sqrt(q_student q_teacher): a pair is as good as both of its inputs. Our reading, as above.

    Args:
        student: (B,) qualities in [0, 1], NumPy or torch.
        teacher: (B,) qualities of the partners, of the same kind.

    Returns:
        (B,) qualities in [0, 1], of the same kind.

    Raises:
        ValueError: If the shapes differ or a quality is out of range.

    >>> distillation_quality(np.array([0.25, 0.0]), np.array([1.0, 0.5])).tolist()
    [0.5, 0.0]
    """
    if student.shape != teacher.shape:
        raise ValueError(f"teacher: expected the student's shape {tuple(student.shape)}, found {tuple(teacher.shape)}")
    return (_checked(student, "student") * _checked(teacher, "teacher")) ** 0.5


def _checked(quality: Values, name: str) -> Values:
    quality = full(quality) if isinstance(quality, Tensor) else np.asarray(quality, dtype=np.float64)
    inside = (quality >= 0) & (quality <= 1)
    if not inside.all():
        raise ValueError(f"{name}: expected values in [0, 1], found {float(quality[~inside][0])}; rank them first")
    return quality
