"""A constraint of the documentation: src/cross_modal_kd/losses/huber.py."""

from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs


class HuberConstraint(Constraint):
    """max(0, h(1 - cos(s_i, t_i)) - margin), h(d) = d^2 / (2 delta) below delta, d - delta / 2 above.

    Near the teacher it is flat, so that the last of the distance costs little; far away it is the cosine distance.

    Args:
        margin: m >= 0 in the units of h; 0 is the hard form.
        delta: where the parabola ends, above 0.

    Raises:
        ValueError: If the margin is below 0 or no number, or delta is not above 0.
    """

    def __init__(self, margin: float = 0.0, delta: float = 0.5) -> None:
        super().__init__(margin)
        if not delta > 0:
            raise ValueError(f"delta: expected a number > 0, found {delta}")
        self.delta = delta

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``."""
        distance = 1 - (inputs.student * inputs.teacher).sum(dim=1)
        return distance.square().div(2 * self.delta).where(distance < self.delta, distance - self.delta / 2)
