"""What a constraint looks at, and what it gives back."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cross_modal_kd.losses.precision import full, unit
from cross_modal_kd.losses.reducers import Reducer, check_weights, mean


@dataclass(frozen=True)
class ConstraintInputs:
    """One batch of B samples. ``student`` and ``teacher`` suffice for feature and relational constraints.

    Args:
        student: (B, d) embeddings of the student; constraints normalise them where their formula says so.
        teacher: (B, d) projected embeddings of the teacher. Not detached here: detach them where the projection must
            stand still.
        labels: (B,) integers of any width, -1 for a sample without label; None is a batch without labels.
        prototypes: (C, d) the teacher's classifier W.
        student_raw: (B, d) the student's embeddings before normalisation, for ``l2``; None: ``student`` serves.
        teacher_raw: (B, d) the teacher's likewise; None: ``teacher`` serves.
        student_logits: (B, C) of the student's own classifier, without margin, already scaled.
        teacher_logits: (B, C); None: they are ``scale`` * cos(W, teacher).
        bank: (K, d) one projected teacher embedding for each instance.
        bank_rows: (B,) integers in [0, K), the instance of each sample.
        scale: a, the logit scale of the teacher's classifier, without unit.
        normalised: Whether ``prototypes`` and ``bank`` are what ``unit`` gives. They are then taken as they are, so
            that what stays the same from batch to batch is normalised once. Not checked.

    Raises:
        ValueError: If the shapes do not fit ``student``'s, or labels or rows are no integers.
    """

    student: Tensor
    teacher: Tensor
    labels: Tensor | None = None
    prototypes: Tensor | None = None
    student_raw: Tensor | None = None
    teacher_raw: Tensor | None = None
    student_logits: Tensor | None = None
    teacher_logits: Tensor | None = None
    bank: Tensor | None = None
    bank_rows: Tensor | None = None
    scale: float = 30.0
    normalised: bool = False

    def __post_init__(self) -> None:
        if self.student.ndim != 2 or not len(self.student):
            raise ValueError(f"student: expected shape (B, d) with B > 0, found {tuple(self.student.shape)}")
        if self.teacher.shape != self.student.shape:
            raise ValueError(
                f"teacher: expected the student's shape {tuple(self.student.shape)}, "
                f"found {tuple(self.teacher.shape)}; project the teacher to the student's dimension first"
            )
        for name in ("labels", "bank_rows"):
            self._check_integers(name)
        for name, rows in (("prototypes", "C"), ("bank", "K")):
            self._check_points(name, rows)
        for name in ("student_raw", "teacher_raw", "student_logits", "teacher_logits"):
            self._check_rows(name)

    def _check_integers(self, name: str) -> None:
        value, batch = getattr(self, name), len(self.student)
        if value is not None and (value.shape != (batch,) or value.is_floating_point() or value.is_complex()):
            raise ValueError(f"{name}: expected {batch} integers, found {value.dtype} of shape {tuple(value.shape)}")

    def _check_points(self, name: str, rows: str) -> None:
        value, dim = getattr(self, name), self.student.shape[1]
        if value is not None and (value.ndim != 2 or value.shape[1] != dim):
            raise ValueError(f"{name}: expected shape ({rows}, {dim}), found {tuple(value.shape)}")

    def _check_rows(self, name: str) -> None:
        value, batch = getattr(self, name), len(self.student)
        if value is not None and (value.ndim != 2 or len(value) != batch):
            raise ValueError(f"{name}: expected {batch} rows, found shape {tuple(value.shape)}")

    def full_precision(self) -> "ConstraintInputs":
        """The batch as constraints compute on it.

        Returns:
            The batch with half-precision tensors as float32 and integers as int64, which indexing asks for; itself
            where all of them are.
        """
        tensors = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        others: dict[str, Any] = {name: wide for name, v in tensors.items() if (wide := _wide(v)) is not v}
        return replace(self, **others) if others else self

    def gathered(self, names: Collection[str], gather: Callable[[Tensor], Tensor]) -> "ConstraintInputs":
        """The batch of all ranks, as far as a constraint asks for it.

        Args:
            names: The fields with a row for each sample that it looks at; student and teacher are always there.
            gather: Of the rows here, those of all ranks.

        Returns:
            A batch with those fields in full precision and of all ranks, the prototypes and the bank as they are, and
            no other fields.
        """
        own = self.full_precision()
        rows = {"student", "teacher", *names} - {"prototypes", "bank"}
        found: dict[str, Any] = {
            name: gather(value) for name in sorted(rows) if (value := getattr(own, name)) is not None
        }
        shared = {name: getattr(own, name) for name in ("prototypes", "bank", "scale", "normalised")}
        return ConstraintInputs(**found, **shared)

    @cached_property
    def unknown(self) -> Tensor:
        """Which samples have a teacher that is not all numbers; looked for once in a batch.

        (B,) zeros; NaN for a sample with a NaN or an infinity in ``teacher``, ``teacher_raw`` or ``teacher_logits``.
        """
        given = (self.teacher, self.teacher_raw, self.teacher_logits)
        return sum((0 * each.detach().sum(1) for each in given if each is not None), self.teacher.new_zeros(()))

    def unit_rows(self, name: str, by: str) -> Tensor:
        """``prototypes`` or ``bank`` with rows of length 1.

        Args:
            name: Which of the two.
            by: Who needs it, for the message.

        Returns:
            The field's own tensor where it is ``normalised``, else what ``unit`` makes of it.

        Raises:
            ValueError: If the batch came without it.
        """
        value = self.need(name, by)
        return value if self.normalised else unit(value)

    def need(self, name: str, by: str) -> Tensor:
        """The tensor of that name.

        Args:
            name: A field of the batch.
            by: Who needs it, for the message.

        Returns:
            The field's value.

        Raises:
            ValueError: If the batch came without it.
        """
        value = getattr(self, name)
        if value is None:
            raise ValueError(f"{name}: {by} needs it and the batch has none; pass ConstraintInputs({name}=...)")
        return value


def check_numbers(numbers: Tensor, low: int, end: int, name: str) -> None:
    """Whether every number stands for something: a class, a row of the bank, or -1 for no label.

    Numbers that lie on a GPU are passed over: to look at them would wait for the device at every step.

    Args:
        numbers: (B,) integers of any width.
        low: The lowest there is.
        end: One above the highest.
        name: What they are called, for the message.

    Raises:
        ValueError: If a number is below ``low`` or not below ``end``.
    """
    if numbers.device.type != "cpu" or not len(numbers):
        return
    least, most = (int(each) for each in numbers.to(torch.int64).aminmax())
    if least < low or most >= end:
        none = " (no label)" if low < 0 else ""
        raise ValueError(f"{name}: expected {low}{none} to {end - 1}, found {least} to {most}")


def _wide(values: Tensor) -> Tensor:
    return full(values) if values.is_floating_point() else values.to(torch.int64)


class ConstraintOutput(NamedTuple):
    """What a constraint found for each sample of the batch.

    values: (B,) after the margin, >= 0. active: (B,) the share in [0, 1] of what lies outside the margin (0 or 1 where
    a sample has one value; a share of its pairs where it has many). raw: (B,) before the margin.
    """

    values: Tensor
    active: Tensor
    raw: Tensor

    def reduce(self, reducer: Reducer = mean, weights: Tensor | None = None) -> Tensor:
        """One number for the batch, to be differentiated.

        Args:
            reducer: A value of ``REDUCERS``, or a function of (values, weights, active) of your own.
            weights: (B,) finite, >= 0, of any scale; None is ones.

        Returns:
            One number, in the constraint's units.

        Raises:
            ValueError: If the weights are of another shape or, on a CPU, negative or not finite.

        >>> ones = torch.ones(2)
        >>> ConstraintOutput(torch.tensor([0.0, 3.0]), torch.tensor([0.0, 1.0]), ones).reduce().item()
        1.5
        """
        if weights is None:
            weights = torch.ones_like(self.values)
        else:
            check_weights(weights, self.values, "weights", "values")
        return reducer(self.values, weights, self.active)
