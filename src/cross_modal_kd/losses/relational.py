"""Relational level: the teacher's geometry, not its coordinates."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.margin import soft_margin
from cross_modal_kd.losses.precision import unit


def relational_discrepancy(student: Tensor, teacher: Tensor) -> Tensor:
    """r_ij = |cos(s_i, s_j) - cos(t_i, t_j)|.

    Args:
        student: (B, d) embeddings s.
        teacher: (B, D) embeddings t of the same samples; their dimension may be another.

    Returns:
        (B, B) discrepancies in [0, 2], symmetric, 0 on the diagonal.
    """
    student, teacher = unit(student), unit(teacher)
    return (student @ student.T - teacher @ teacher.T).abs()


def mean_of_others(pairs: Tensor) -> Tensor:
    """The mean over j != i of row i.

    Args:
        pairs: (B, B); what stands on the diagonal has no part in it.

    Returns:
        (B,); zeros for a batch of one, which has no pairs.

    >>> mean_of_others(torch.tensor([[9.0, 1.0, 2.0], [0.0, 9.0, 0.0], [4.0, 4.0, 9.0]])).tolist()
    [1.5, 0.0, 4.0]
    """
    itself = torch.eye(len(pairs), dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(itself, 0).sum(1) / max(len(pairs) - 1, 1)


class RelationalConstraint(Constraint):
    """mean over j != i of max(0, r_ij - margin): the margin is taken off every pair before the mean.

    ``active`` is the share of the pairs of sample i outside the margin. Memory grows with B^2.
    Ours, beyond the source; at margin 0 the idea of relational knowledge distillation (Park et al., CVPR 2019).

    Args:
        margin: m >= 0, a difference of cosines; 0 is the hard form, 2 asks nothing.

    Raises:
        ValueError: If the margin is below 0 or no number.
    """

    gathers = ("student", "teacher")

    def compare(self, inputs: ConstraintInputs) -> ConstraintOutput:
        """See ``Constraint.compare``; the margin comes off the pairs, not off their mean."""
        pairs = relational_discrepancy(inputs.student, inputs.teacher)
        return ConstraintOutput(
            mean_of_others(soft_margin(pairs, self.margin)),
            mean_of_others((pairs > self.margin).to(pairs.dtype)),
            mean_of_others(pairs),
        )
