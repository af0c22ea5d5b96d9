"""Cross-modal contrast: a student must be nearer to its own teacher than to the teachers of other classes."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.kinds import SYMMETRIC
from cross_modal_kd.losses.precision import unit


def same_class(batch: int, labels: Tensor | None, device: torch.device) -> Tensor:
    """Which samples of a batch are positives of each other: i is j, or both carry the same label.

    Args:
        batch: B.
        labels: (B,) integers; a sample without label (-1) matches only itself. None: none has one.
        device: Where the answer is wanted.

    Returns:
        (B, B) booleans, symmetric, true on the diagonal.

    >>> same_class(3, torch.tensor([5, 5, -1]), torch.device("cpu")).int().tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    """
    itself = torch.eye(batch, dtype=torch.bool, device=device)
    if labels is None:
        return itself
    labels = labels.to(device)
    return itself | ((labels[:, None] == labels[None, :]) & (labels[:, None] >= 0))


def contrastive_loss(similarity: Tensor, positive: Tensor) -> Tensor:
    """mean over positives p of log(1 + sum over negatives n of exp(z_in - z_ip)).

    Other positives of i stand neither in the sum nor against p, so that the value falls to 0 however many there are
    (with a single positive it is InfoNCE). Without negatives it is 0.

    Args:
        similarity: z, (B, B), already divided by the temperature.
        positive: (B, B) booleans, at least one true a row.

    Returns:
        (B,) values >= 0 in nats, one for each row.

    >>> contrastive_loss(torch.zeros(2, 2), torch.eye(2, dtype=torch.bool))
    tensor([0.6931, 0.6931])
    """
    negatives = similarity.masked_fill(positive, torch.finfo(similarity.dtype).min / 2).logsumexp(1, keepdim=True)
    pairs = torch.nn.functional.softplus(negatives - similarity)
    return pairs.masked_fill(~positive, 0).sum(1) / positive.sum(1)


class ContrastiveConstraint(Constraint):
    """max(0, InfoNCE_i - margin) with z_ij = cos(s_i, t_j) / temperature and multiple positives of one class.

    A variant of ours of the soft constraint, beyond the source; after InfoNCE (van den Oord et al., 2018) and
    supervised contrastive learning (Khosla et al., NeurIPS 2020). Memory grows with B^2.

    Args:
        margin: m >= 0 in nats; 0 is the hard form.
        temperature: Of the cosines, > 0, without unit.
        symmetric: Whether the value is the mean of student -> teacher (row i of z) and teacher -> student (column i);
            else it is the first alone.

    Raises:
        ValueError: If the margin is below 0, the temperature not above it, or ``symmetric`` no boolean.
    """

    gathers = ("student", "teacher", "labels")

    def __init__(self, margin: float = 0.0, temperature: float = 0.07, symmetric: bool = True) -> None:
        super().__init__(margin)
        self.temperature = check_temperature(temperature)
        self.symmetric = SYMMETRIC.check("symmetric", symmetric)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``."""
        similarity = unit(inputs.student) @ unit(inputs.teacher).T / self.temperature
        positive = same_class(len(similarity), inputs.labels, similarity.device)
        forward = contrastive_loss(similarity, positive)
        return (forward + contrastive_loss(similarity.T, positive)) / 2 if self.symmetric else forward
