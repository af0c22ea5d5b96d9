"""Knowledge distillation of Hinton et al. (2015), a baseline."""

from torch import Tensor

from cross_modal_kd.losses.constraint import Constraint, check_temperature
from cross_modal_kd.losses.distributions import softened_kl
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.precision import unit


class HintonKD(Constraint):
    """tau^2 KL(softmax(teacher_logits / tau) || softmax(student_logits / tau)), less the margin.

    The student answers through its own classifier; the teacher's logits are ``teacher_logits``, or a W t.
    Reference: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015.

    Args:
        margin: m >= 0 in nats times tau^2; 0 is the published form.
        temperature: tau > 0, without unit.

    Raises:
        ValueError: If the margin is below 0 or the temperature not above it.
    """

    takes_student_logits = True
    takes_teacher_logits = True

    def __init__(self, margin: float = 0.0, temperature: float = 4.0) -> None:
        super().__init__(margin)
        self.temperature = check_temperature(temperature)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``. Raises ValueError where one side's logits are missing or the classes differ."""
        student = inputs.need("student_logits", "hinton_kd")
        teacher = inputs.teacher_logits
        if teacher is None:
            prototypes = inputs.unit_rows("prototypes", "hinton_kd without teacher_logits")
            teacher = inputs.scale * unit(inputs.teacher) @ prototypes.T
        if student.shape != teacher.shape:
            raise ValueError(
                f"student_logits: expected the teacher's shape {tuple(teacher.shape)}, found {tuple(student.shape)}; "
                "both must speak of the same classes"
            )
        return softened_kl(teacher, student, self.temperature)
