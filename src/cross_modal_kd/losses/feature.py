"""Feature level: the student's embedding should be near the teacher's."""

from typing import Literal, get_args

from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.precision import unit

Distance = Literal["cosine", "l2"]


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - cos(s_i, t_i) in [0, 2], shape (B,)."""
    return 1 - (unit(student) * unit(teacher)).sum(-1)


def l2_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """||s_i - t_i||^2, squared and summed over the dimensions, on features as they come (not normalised), shape (B,).

    On unit vectors it is twice the cosine distance.
    """
    return (student - teacher).square().sum(-1)


class SoftFeatureConstraint(Constraint):
    """max(0, d(s_i, t_i) - margin). margin 0 is the hard constraint: the student must equal the teacher.

    distance: ``cosine``, or ``l2`` (squared, on ``student_raw`` and ``teacher_raw`` where the batch has them).
    Our reading; the source's formula was not available.

    >>> import torch
    >>> student, teacher = torch.eye(2), torch.ones(2, 2)
    >>> SoftFeatureConstraint(margin=0.2)(ConstraintInputs(student, teacher)).values
    tensor([0.0929, 0.0929])
    """

    def __init__(self, margin: float = 0.0, distance: Distance = "cosine") -> None:
        super().__init__(margin)
        if distance not in get_args(Distance):
            raise ValueError(f"distance: expected one of {get_args(Distance)}, found {distance!r}")
        self.distance = distance

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        if self.distance == "cosine":
            return cosine_distance(inputs.student, inputs.teacher)
        student = inputs.student if inputs.student_raw is None else inputs.student_raw
        teacher = inputs.teacher if inputs.teacher_raw is None else inputs.teacher_raw
        if student.shape != teacher.shape:
            raise ValueError(
                f"student_raw: expected the shape of teacher_raw {tuple(teacher.shape)}, found {tuple(student.shape)}"
            )
        return l2_distance(student, teacher)
