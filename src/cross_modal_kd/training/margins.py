"""A margin from the data: how far the teacher is from itself."""

import torch
from torch import Generator

from cross_modal_kd.losses import Constraint, ConstraintInputs
from cross_modal_kd.models.projection import Projection
from cross_modal_kd.training.data import TeacherSide
from cross_modal_kd.training.seeds import derive_seed

BATCH = 128


@torch.no_grad()
def margin_of_data(constraint: Constraint, teacher: TeacherSide, projection: Projection, quantile: float) -> float:
    """The quantile, over the pools with two teacher samples or more, of the constraint's value between two of them.

    One of the two stands in the student's place: another text of the same picture, another photo of the same face. A
    student who is that near says the same thing in other words. Ours, beyond the source; in the constraint's own units.

    Raises:
        ValueError: no instance (or class, where pairs are made by label) has two teacher samples; or the constraint
        reads what only a student has.
    """
    several = torch.nonzero(teacher.sizes > 1)[:, 0]
    if not len(several):
        raise ValueError("margin_quantile: no instance has two teacher samples, so there is no spread; set a margin")
    generator = Generator().manual_seed(derive_seed("margin"))
    order = several[torch.randperm(len(several), generator=generator)]
    sizes = teacher.sizes[order]
    first = (torch.rand(len(order), generator=generator) * sizes).long()
    other = (first + 1 + (torch.rand(len(order), generator=generator) * (sizes - 1)).long()) % sizes
    was_training = projection.training
    projection.eval()
    one, two = (projection(teacher.embeddings[teacher.pools[order, rows]]) for rows in (first, other))
    prototypes, scale = projection.prototypes(), projection.config.scale
    projection.train(was_training)
    dim = one.shape[1]
    values = [
        constraint(
            ConstraintInputs(
                student=a, teacher=b, prototypes=prototypes, scale=scale,
                student_raw=a * dim**0.5, teacher_raw=b * dim**0.5,
            )
        ).raw
        for a, b in zip(one.split(BATCH), two.split(BATCH), strict=True)
    ]  # fmt: skip
    return float(torch.cat(values).quantile(quantile))
