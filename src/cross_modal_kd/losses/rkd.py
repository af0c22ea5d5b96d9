"""Relational knowledge distillation of Park et al. (2019), a baseline."""

import torch
from torch import Tensor
from torch.nn import functional as F

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.kinds import FACTOR
from cross_modal_kd.losses.precision import unit
from cross_modal_kd.losses.relational import mean_of_others

COINCIDENT = 1e-4  # nearer unit vectors count as one point: the direction between them is rounding noise


def directions(points: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths and unit vectors of x_j - x_i.

    Args:
        points: (B, d) x, of about unit length.

    Returns:
        (B, B) lengths and (B, B, d) vectors as [i, j]; both 0, with gradient 0, where two points coincide.
    """
    difference = points[None, :, :] - points[:, None, :]
    square = difference.square().sum(-1)
    apart = square > COINCIDENT**2
    length = torch.where(apart, square, 1).sqrt()
    vectors = torch.where(apart[..., None], difference / length[..., None], 0)
    return torch.where(apart, length, 0), vectors


def relative_distances(length: Tensor) -> Tensor:
    """Lengths over their mean among distinct points.

    Args:
        length: (B, B) distances, 0 for points that coincide.

    Returns:
        (B, B) distances without unit, of mean 1 among distinct points; zeros where all points coincide.

    >>> relative_distances(torch.tensor([[0.0, 3.0], [3.0, 0.0]])).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    apart = length > 0
    mean = length.sum() / apart.sum().clamp_min(1)
    return length / torch.where(mean > 0, mean, 1)


def angles(vectors: Tensor) -> Tensor:
    """cos of the angle j-i-k with its vertex at i.

    Args:
        vectors: (B, B, d) of ``directions``.

    Returns:
        (B, B, B) cosines in [-1, 1] as [i, j, k].
    """
    return vectors @ vectors.transpose(1, 2)


class RKD(Constraint):
    """distance_weight * mean over j of huber(d_ij) + angle_weight * mean over j != k of huber(cos of angle j-i-k).

    huber is taken of the student's value less the teacher's (threshold 1); d_ij is the distance over the batch's mean
    distance; i, j, k are distinct; embeddings are L2-normalised first. Memory grows with B^3 where angle_weight is not
    0. The published form averages the same terms over the batch, with weights 25 and 50.
    Reference: Park, Kim, Lu, Cho, "Relational Knowledge Distillation", CVPR 2019.

    Args:
        margin: m >= 0, off the weighted sum, without unit; 0 is the published form.
        distance_weight: Of the distances, >= 0.
        angle_weight: Of the angles, >= 0; 0 leaves them out, and their memory.

    Raises:
        ValueError: If the margin or a weight is below 0 or no finite number.
    """

    gathers = ("student", "teacher")

    def __init__(self, margin: float = 0.0, distance_weight: float = 1.0, angle_weight: float = 2.0) -> None:
        super().__init__(margin)
        self.distance_weight = FACTOR.check("distance_weight", distance_weight)
        self.angle_weight = FACTOR.check("angle_weight", angle_weight)

    def raw(self, inputs: ConstraintInputs) -> Tensor:
        """See ``Constraint.raw``."""
        student_length, student_vectors = directions(unit(inputs.student))
        teacher_length, teacher_vectors = directions(unit(inputs.teacher))
        gap = huber(relative_distances(student_length), relative_distances(teacher_length))
        value = self.distance_weight * mean_of_others(gap)
        if self.angle_weight:
            value = value + self.angle_weight * mean_of_angles(huber(angles(student_vectors), angles(teacher_vectors)))
        return value


def huber(student: Tensor, teacher: Tensor) -> Tensor:
    """x^2 / 2 where |x| < 1, else |x| - 1 / 2, of x = student - teacher.

    Args:
        student: Any shape.
        teacher: The same shape.

    Returns:
        The same shape, >= 0.

    >>> huber(torch.tensor([0.5, 3.0]), torch.zeros(2)).tolist()
    [0.125, 2.5]
    """
    return F.smooth_l1_loss(student, teacher, reduction="none")


def mean_of_angles(triples: Tensor) -> Tensor:
    """The mean over j, k with i, j, k distinct.

    Args:
        triples: (B, B, B) as [i, j, k].

    Returns:
        (B,); zeros where a batch has fewer than three samples.
    """
    batch = len(triples)
    same = torch.eye(batch, dtype=torch.bool, device=triples.device)
    excluded = same[None, :, :] | same[:, :, None] | same[:, None, :]
    return triples.masked_fill(excluded, 0).sum((1, 2)) / max((batch - 1) * (batch - 2), 1)
