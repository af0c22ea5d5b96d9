"""Contrast with every teacher instance of the training split, not with those of the batch alone."""

from torch import Tensor
from torch.nn import functional as F

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.inputs import ConstraintInputs, check_numbers
from cross_modal_kd.losses.precision import unit


class BankContrastiveConstraint(Constraint):
    """max(0, -log softmax_k(cos(s_i, b_k) / temperature)[k_i] - margin), k_i the student's own instance.

    The bank b (K, d) holds one projected teacher embedding for each instance (a concept, a clip); since the teacher's
    embeddings are cached, all of them are there at every step. Instances of one class are told apart too, which is
    what the teacher knows beyond the label. A sample needs no label. A variant of ours of the soft constraint at the
    feature level, beyond the source; after InfoNCE (van den Oord et al., 2018) and instance discrimination with a bank
    (Wu et al., CVPR 2018).

    Args:
        margin: m >= 0 in nats; 0 is the hard form.
        temperature: Of the cosines, > 0, without unit.

    Raises:
        ValueError: If the margin is below 0 or the temperature not above it.
    """

    needs_bank = True

    def __init__(self, margin: float = 0.0, temperature: float = 0.1) -> None:
        super().__init__(margin)
        self.temperature = check_temperature(temperature)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``. Raises ValueError for a batch without ``bank``, or ``bank_rows`` in it."""
        bank = inputs.unit_rows("bank", "the bank contrast")
        rows = inputs.need("bank_rows", "the bank contrast")
        check_numbers(rows, 0, len(bank), "bank_rows")
        similarity = unit(inputs.student) @ bank.T / self.temperature
        return F.cross_entropy(similarity, rows, reduction="none")
