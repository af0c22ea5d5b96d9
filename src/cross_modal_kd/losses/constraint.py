"""What every constraint shares: full precision inside, a margin, three numbers a sample."""

from torch import Tensor, nn

from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.margin import check_margin, soft_margin
from cross_modal_kd.losses.precision import no_autocast


class Constraint(nn.Module):
    """A term that binds student to teacher. It has no parameters. Subclasses give ``raw``.

    margin: m >= 0 in the units of the raw value; 0 is the hard form.
    """

    needs_bank = False

    def __init__(self, margin: float = 0.0) -> None:
        super().__init__()
        check_margin(margin)
        self.margin = margin

    def forward(self, inputs: ConstraintInputs) -> ConstraintOutput:
        with no_autocast(inputs.student):
            return self.compare(inputs.full_precision())

    def compare(self, inputs: ConstraintInputs) -> ConstraintOutput:
        raw = self.raw(inputs)
        return ConstraintOutput(soft_margin(raw, self.margin), (raw > self.margin).to(raw.dtype), raw)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """(B,) values before the margin."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"margin={self.margin}"


def check_temperature(temperature: float) -> float:
    if not temperature > 0:
        raise ValueError(f"temperature: expected a number > 0, found {temperature}")
    return temperature
