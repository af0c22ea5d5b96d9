"""Classifier level: the student must be classified by the teacher's classifier as the teacher is, or rightly."""

import torch
from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.distributions import kl_divergence, softened, softened_kl
from cross_modal_kd.losses.inputs import ConstraintInputs, check_numbers
from cross_modal_kd.losses.kinds import TARGET, UNLABELLED
from cross_modal_kd.losses.precision import unit


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
        self.takes_teacher_logits = target == "teacher"

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``. Raises ValueError for a batch without ``prototypes``."""
        prototypes = inputs.unit_rows("prototypes", "the classifier constraint")
        student = inputs.scale * unit(inputs.student) @ prototypes.T
        if self.target == "teacher":
            return softened_kl(self._teacher(inputs, prototypes), student, self.temperature)
        log_q = softened(student, self.temperature).log_softmax(-1)
        if inputs.labels is None:
            return self._unlabelled(inputs, prototypes, log_q)
        check_numbers(inputs.labels, -1, student.shape[1], "labels")
        labels = inputs.labels.to(student.device)
        hard = -log_q.gather(1, labels.clamp_min(0)[:, None])[:, 0]
        if labels.device.type == "cpu" and bool((labels >= 0).all()):
            return hard
        return torch.where(labels >= 0, hard, self._unlabelled(inputs, prototypes, log_q))

    def _unlabelled(self, inputs: ConstraintInputs, prototypes: Tensor, log_q: Tensor) -> Tensor:
        """(B,) what samples without label get."""
        if self.unlabelled == "ignore":
            return 0 * log_q.sum(-1)
        teacher = softened(self._teacher(inputs, prototypes), self.temperature)
        return kl_divergence(teacher.softmax(-1), log_q)

    @staticmethod
    def _teacher(inputs: ConstraintInputs, prototypes: Tensor) -> Tensor:
        """(B, C) logits of the teacher, by the prototypes of length 1 where the batch has none."""
        if inputs.teacher_logits is not None:
            return inputs.teacher_logits
        return inputs.scale * unit(inputs.teacher) @ prototypes.T
