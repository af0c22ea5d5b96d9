"""Cross-modal contrast: a student must be nearer to its own teacher than to the teachers of other classes."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.precision import unit


def same_class(batch: int, labels: Tensor | None, device: torch.device) -> Tensor:
    """(B, B) booleans: i is j, or both carry the same label. A sample without label (-1) matches only itself."""
    itself = torch.eye(batch, dtype=torch.bool, device=device)
    if labels is None:
        return itself
    labels = labels.to(device)
    return itself | ((labels[:, None] == labels[None, :]) & (labels[:, None] >= 0))


def contrastive_loss(similarity: Tensor, positive: Tensor) -> Tensor:
    """mean over positives p of log(1 + sum over negatives n of exp(z_in - z_ip)), shape (B,).

    similarity z: (B, B), already divided by the temperature; positive: (B, B) booleans, at least one true a row.
    Other positives of i stand neither in the sum nor against p, so that the value falls to 0 however many there are
    (with a single positive it is InfoNCE). Without negatives it is 0.
    """
    negatives = similarity.masked_fill(positive, torch.finfo(similarity.dtype).min / 2).logsumexp(1, keepdim=True)
    pairs = torch.nn.functional.softplus(negatives - similarity)
    return pairs.masked_fill(~positive, 0).sum(1) / positive.sum(1)


class ContrastiveConstraint(Constraint):
    """max(0, InfoNCE_i - margin) with z_ij = cos(s_i, t_j) / temperature and multiple positives of one class.

    symmetric: the mean of student -> teacher (row i of z) and teacher -> student (column i); else the first alone.
    A variant of ours of the soft constraint, beyond the source; after InfoNCE (van den Oord et al., 2018) and
    supervised contrastive learning (Khosla et al., NeurIPS 2020).
    """

    def __init__(self, margin: float = 0.0, temperature: float = 0.07, symmetric: bool = True) -> None:
        super().__init__(margin)
        self.temperature = check_temperature(temperature)
        self.symmetric = symmetric

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        similarity = unit(inputs.student) @ unit(inputs.teacher).T / self.temperature
        positive = same_class(len(similarity), inputs.labels, similarity.device)
        forward = contrastive_loss(similarity, positive)
        return (forward + contrastive_loss(similarity.T, positive)) / 2 if self.symmetric else forward
