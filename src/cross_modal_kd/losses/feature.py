"""Feature level: the student's embedding should be near the teacher's."""

from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.distances import Distance
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.kinds import DISTANCE, DISTANCES, load


class SoftFeatureConstraint(Constraint):
    """max(0, d(s_i, t_i) - margin). margin 0 is the hard constraint: the student must equal the teacher.

    Our reading; the source's formula was not available.

    Args:
        margin: m >= 0 in the units of the distance; 0 is the hard form.
        distance: A key of ``DISTANCES`` (``cosine``, or ``l2``: squared, on ``student_raw`` and ``teacher_raw`` where
            the batch has them), or a ``Distance`` of your own.

    Raises:
        ValueError: If the margin is below 0 or no number, or if there is no such distance.

    >>> import torch
    >>> student, teacher = torch.eye(2), torch.ones(2, 2)
    >>> SoftFeatureConstraint(margin=0.2)(ConstraintInputs(student, teacher)).values
    tensor([0.0929, 0.0929])
    """

    def __init__(self, margin: float = 0.0, distance: str | Distance = "cosine") -> None:
        super().__init__(margin)
        self.distance = distance if isinstance(distance, Distance) else _named(distance)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``."""
        return self.distance(inputs)


def _named(distance: str) -> Distance:
    return load(DISTANCES[DISTANCE.check("distance", distance)])
