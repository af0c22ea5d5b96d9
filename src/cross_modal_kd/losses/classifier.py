"""Classifier level: the student must be classified by the teacher's classifier as the teacher is, or rightly."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.distributions import kl_divergence, prototype_logits, softened_kl
from cross_modal_kd.losses.inputs import ConstraintInputs, check_numbers
from cross_modal_kd.losses.kinds import TARGET, UNLABELLED


class SoftClassifierConstraint(Constraint):
    """max(0, D_i - margin), q_i = softmax(a W s_i / tau) through the teacher's classifier W; margin in nats.

    target ``teacher``: D_i = tau^2 KL(p_i || q_i), p_i = softmax(a W t_i / tau). tau^2 is our choice: it keeps value,
    margin and gradient of one size over temperatures.
    target ``label``: D_i = -log q_i[y_i], looser: classified rightly, not told where to be. A sample without label
    gets KL(p_i || q_i), the cross-entropy to the teacher's answer less that answer's entropy (so that 0 is agreement),
    or, with unlabelled ``ignore``, the value 0.
    W and s, t are normalised here. Our reading; the source's formula was not available.

    Args:
        margin: m >= 0 in nats (times tau^2 with target ``teacher``); 0 is the hard form.
        temperature: tau > 0, without unit.
        target: ``teacher`` or ``label``, see above.
        unlabelled: Of target ``label``: what a sample without label gets, ``teacher`` or ``ignore``.

    Raises:
        ValueError: If the margin is below 0, the temperature not above it, or a name is none of those above.
    """

    def __init__(
        self,
        margin: float = 0.0,
        temperature: float = 1.0,
        target: str = "teacher",
        unlabelled: str = "teacher",
    ) -> None:
        super().__init__(margin)
        self.temperature = check_temperature(temperature)
        self.target = TARGET.check("target", target)
        self.unlabelled = UNLABELLED.check("unlabelled", unlabelled)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``. Raises ValueError for a batch without ``prototypes``."""
        prototypes = inputs.need("prototypes", "the classifier constraint")
        student = prototype_logits(inputs.student, prototypes, inputs.scale)
        teacher = inputs.teacher_logits
        if teacher is None:
            teacher = prototype_logits(inputs.teacher, prototypes, inputs.scale)
        if self.target == "teacher":
            return softened_kl(teacher, student, self.temperature)
        return self._to_labels(student / self.temperature, teacher / self.temperature, inputs.labels)

    def _to_labels(self, student: Tensor, teacher: Tensor, labels: Tensor | None) -> Tensor:
        log_q = student.log_softmax(-1)
        soft = kl_divergence(teacher.softmax(-1), log_q) if self.unlabelled == "teacher" else 0 * log_q.sum(-1)
        if labels is None:
            return soft
        check_numbers(labels, -1, student.shape[1], "labels")
        labels = labels.to(student.device)
        hard = -log_q.gather(1, labels.clamp_min(0)[:, None])[:, 0]
        return torch.where(labels >= 0, hard, soft)
