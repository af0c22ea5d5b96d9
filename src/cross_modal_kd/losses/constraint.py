"""What every constraint shares: full precision inside, a margin, three numbers a sample."""

import math
from typing import ClassVar

from torch import Tensor, nn

from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.margin import check_margin, soft_margin
from cross_modal_kd.losses.precision import no_autocast


class Constraint(nn.Module):
    """A term that binds student to teacher. It has no parameters. Subclasses give ``raw``.

    needs_bank: whether the batch must have ``bank`` and ``bank_rows``.
    gathers: the fields of ``ConstraintInputs`` in which the value of a sample depends on the *other* samples of the
    batch. On several ranks these must hold the whole global batch, rank after rank and with the gradient of each, or
    the constraint is another one; empty where a sample's value needs nothing of its neighbours.

    takes_student_logits: whether it looks at ``student_logits``; a training works them out for those that do.

    takes_teacher_logits: whether every batch's value depends on ``teacher_logits``, which it works out itself where the
    batch has none. Of a teacher that stands still they can be kept from one step to another.

    Args:
        margin: m >= 0 in the units of the raw value; 0 is the hard form.

    Raises:
        ValueError: If the margin is below 0 or no number.
    """

    needs_bank: ClassVar[bool] = False
    takes_student_logits: ClassVar[bool] = False
    takes_teacher_logits: bool = False
    gathers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, margin: float = 0.0) -> None:
        super().__init__()
        self.margin = check_margin(margin)

    def forward(self, inputs: ConstraintInputs) -> ConstraintOutput:
        """The constraint on one batch, in single precision or better whatever autocast says.

        Args:
            inputs: The batch of B samples; half-precision tensors are taken as float32.

        Returns:
            Values, shares outside the margin and raw values, each (B,). All three are NaN for a sample of whose
            teacher a number is NaN or infinite, also where the constraint does not ask it.

        Raises:
            ValueError: If the batch lacks what the constraint needs.
        """
        with no_autocast(inputs.student):
            inputs = inputs.full_precision()
            output, unknown = self.compare(inputs), inputs.unknown
            missing = unknown + 0 * output.values.detach()
            return ConstraintOutput(output.values + unknown, output.active + missing, output.raw + unknown)

    def compare(self, inputs: ConstraintInputs) -> ConstraintOutput:
        """``raw`` with the margin taken off; what takes it off elsewhere overrides this.

        Args:
            inputs: The batch in full precision.

        Returns:
            Values, shares outside the margin and raw values, each (B,).
        """
        raw = self.raw(inputs)
        return ConstraintOutput(soft_margin(raw, self.margin), (raw > self.margin).to(raw.dtype), raw)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """The values before the margin.

        Args:
            inputs: The batch in full precision.

        Returns:
            (B,) numbers >= 0, 0 where the student does as the teacher.
        """
        raise NotImplementedError

    def extra_repr(self) -> str:
        """What ``print`` shows of it."""
        return f"margin={self.margin}"


def check_temperature(temperature: float) -> float:
    """The temperature, if it is one.

    Args:
        temperature: tau.

    Returns:
        ``temperature`` itself.

    Raises:
        ValueError: Unless it is a finite number > 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature: expected a number > 0, found {temperature}")
    if temperature == math.inf:
        raise ValueError("temperature: expected a finite number > 0, found inf")
    return temperature
