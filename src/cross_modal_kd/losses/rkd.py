"""Relational knowledge distillation of Park et al. (2019), a baseline."""

from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.geometry import relation_gap
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.kinds import FACTOR
from cross_modal_kd.losses.precision import unit


class RKD(Constraint):
    """distance_weight * mean over j of huber(d_ij) + angle_weight * mean over j != k of huber(cos of angle j-i-k).

    huber is taken of the student's value less the teacher's (threshold 1); d_ij is the distance over the batch's mean
    distance; i, j, k are distinct; embeddings are L2-normalised first. Memory grows with B^2; time with B^3 where
    angle_weight is not 0. The published form averages the same terms over the batch, with weights 25 and 50.
    Reference: Park, Kim, Lu, Cho, "Relational Knowledge Distillation", CVPR 2019.

    Args:
        margin: m >= 0, off the weighted sum, without unit; 0 is the published form.
        distance_weight: Of the distances, >= 0.
        angle_weight: Of the angles, >= 0; 0 leaves them out, and their time.

    Raises:
        ValueError: If the margin or a weight is below 0 or no finite number.
    """

    gathers = ("student", "teacher")

    def __init__(self, margin: float = 0.0, distance_weight: float = 1.0, angle_weight: float = 2.0) -> None:
        super().__init__(margin)
        self.distance_weight = FACTOR.check("distance_weight", distance_weight)
        self.angle_weight = FACTOR.check("angle_weight", angle_weight)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``."""
        return relation_gap(unit(inputs.student), unit(inputs.teacher), self.distance_weight, self.angle_weight)
