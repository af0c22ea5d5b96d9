"""By which classifier a student answers: its own, the teacher's that it was bound to, or both."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from cross_modal_kd.losses import unit


@dataclass(frozen=True)
class Shared:
    """The teacher's classifier, as the student takes it along: W (C, d), unit rows, and the logit scale a."""

    by: Literal["teacher", "both"]
    prototypes: Tensor
    scale: float


def answer_logits(own: Tensor, embeddings: Tensor, shared: Shared | None) -> Tensor:
    """Logits: ``own``; or a cos(s_i, W_c); or the mean of both log-probabilities, a product of two experts.

    Nothing of the teacher's modality is read: W is a table of numbers. Ours, beyond the source.

    Args:
        own: (N, C) logits of the student's own classifier.
        embeddings: (N, D), of which the first d are bound to the teacher.
        shared: The teacher's classifier, W (C, d) and a; None where the student answers by its own.

    Returns:
        (N, C) logits.
    """
    if shared is None:
        return own
    bound = unit(embeddings[:, : shared.prototypes.shape[1]].float())
    by_teacher = shared.scale * bound @ shared.prototypes.to(bound).T
    if shared.by == "teacher":
        return by_teacher
    return (own.float().log_softmax(-1) + by_teacher.log_softmax(-1)) / 2
