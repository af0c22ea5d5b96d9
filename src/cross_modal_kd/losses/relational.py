"""Relational level: the teacher's geometry, not its coordinates."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.margin import soft_margin
from cross_modal_kd.losses.precision import unit


def relational_discrepancy(student: Tensor, teacher: Tensor) -> Tensor:
    """r_ij = |cos(s_i, s_j) - cos(t_i, t_j)|, shape (B, B)."""
    student, teacher = unit(student), unit(teacher)
    return (student @ student.T - teacher @ teacher.T).abs()


def mean_of_others(pairs: Tensor) -> Tensor:
    """(B, B) -> (B,): the mean over j != i of row i; zeros for a batch of one, which has no pairs."""
    itself = torch.eye(len(pairs), dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(itself, 0).sum(1) / max(len(pairs) - 1, 1)


class RelationalConstraint(Constraint):
    """mean over j != i of max(0, r_ij - margin): the margin is taken off every pair before the mean.

    ``active`` is the share of the pairs of sample i outside the margin.
    Ours, beyond the source; at margin 0 the idea of relational knowledge distillation (Park et al., CVPR 2019).
    """

    def compare(self, inputs: ConstraintInputs) -> ConstraintOutput:
        pairs = relational_discrepancy(inputs.student, inputs.teacher)
        return ConstraintOutput(
            mean_of_others(soft_margin(pairs, self.margin)),
            mean_of_others((pairs > self.margin).to(pairs.dtype)),
            mean_of_others(pairs),
        )
