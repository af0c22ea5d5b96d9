"""How far a student's embedding is from the teacher's: the objects that ``SoftFeatureConstraint`` takes."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.precision import unit


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - cos(s_i, t_i).

    Args:
        student: (B, d) embeddings of any length; a row of zeros has distance 1.
        teacher: (B, d) embeddings of the same samples.

    Returns:
        (B,) distances in [0, 2], without unit.

    >>> import torch
    >>> cosine_distance(torch.eye(2), torch.tensor([[3.0, 0.0], [1.0, 0.0]])).tolist()
    [0.0, 1.0]
    """
    return 1 - (unit(student) * unit(teacher)).sum(-1)


def l2_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """||s_i - t_i||^2, squared and summed over the dimensions, on features as they come (not normalised).

    On unit vectors it is twice the cosine distance.

    Args:
        student: (B, d) features.
        teacher: (B, d) features of the same samples.

    Returns:
        (B,) squared distances >= 0, in the square of the features' unit.

    >>> import torch
    >>> l2_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).tolist()
    [25.0]
    """
    return (student - teacher).square().sum(-1)


@dataclass(frozen=True)
class Distance:
    """d(s_i, t_i) of the samples of a batch.

    Args:
        between: Two tensors (B, d) to (B,) distances >= 0, differentiable.
        raw: Whether it looks at the embeddings before normalisation (``student_raw`` and ``teacher_raw``) where the
            batch has them.

    >>> import torch
    >>> manhattan = Distance(lambda student, teacher: (student - teacher).abs().sum(-1))
    >>> manhattan(ConstraintInputs(torch.eye(2), torch.ones(2, 2))).tolist()
    [1.0, 1.0]
    """

    between: Callable[[Tensor, Tensor], Tensor]
    raw: bool = False

    def __call__(self, inputs: ConstraintInputs) -> Tensor:
        """The distances of one batch.

        Args:
            inputs: The batch of B samples.

        Returns:
            (B,) distances >= 0.

        Raises:
            ValueError: If ``student_raw`` and ``teacher_raw`` differ in shape.
        """
        student, teacher = inputs.student, inputs.teacher
        if self.raw:
            student = student if inputs.student_raw is None else inputs.student_raw
            teacher = teacher if inputs.teacher_raw is None else inputs.teacher_raw
        if student.shape != teacher.shape:
            raise ValueError(
                f"student_raw: expected the shape of teacher_raw {tuple(teacher.shape)}, found {tuple(student.shape)}"
            )
        return self.between(student, teacher)


COSINE = Distance(cosine_distance)
L2 = Distance(l2_distance, raw=True)
