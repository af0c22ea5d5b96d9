"""Everything that takes part in one step, as one module, so that any launcher of devices can wrap it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cross_modal_kd.losses import (
    Classifier,
    ConstraintInputs,
    Objective,
    ObjectiveOutput,
    TwoViews,
    full,
    teacher_logits,
    unit,
)
from cross_modal_kd.models import Projection, Student
from cross_modal_kd.training.gather import Part
from cross_modal_kd.training.known import LARGEST, Rows, in_parts


class Mixed(NamedTuple):
    """What a batch is mixed with: ``share`` of its inputs stays, the rest is of ``other``, row by row."""

    share: float
    other: "Batch"


class Batch:
    """What one step reads.

    second: (B, ...) another view of each input, where the student learns from two.
    task_labels: (B,) class numbers of the student's own classifier, where they are others than ``labels``: those of
    variants that are classes of their own.
    mixed: what the inputs are mixed with, None where they stay as they are.
    part: where the samples are a part of a larger batch, or have a part of it on other ranks. last: whether a step is
    taken on it and the parts before it.

    A plain class on purpose: Fabric finds the tensors in anything else and rounds those of floats to half precision
    before the first layer. A waveform, an embedding of the teacher or a weight is not to be rounded.

    Args:
        inputs: (B, ...) raw inputs of the student's modality.
        labels: (B,) class numbers, -1 for a sample without label.
        task_weights: (B,) >= 0, of the task's loss.
        kd_weights: (B,) >= 0, of the constraints.
        teacher: (B, D) raw embeddings of the partners; or which of the teacher's they are, so that what is known of
            those is looked up; None where nothing binds the student to a teacher.
        progress: share of the training that is done, in [0, 1].
        bank: raw embeddings of all instances (K, D) and the row of each sample's own (B,), where a constraint needs it.
            Batches that hold the very same tensor of embeddings have it projected once, if the projection stands still.
        labelled: (L,) rows of the batch that have a label; None looks them up, which on a GPU waits for the device.
    """

    second: Tensor | None = None
    task_labels: Tensor | None = None
    mixed: Mixed | None = None
    part: Part = Part()
    last: bool = True

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        task_weights: Tensor,
        kd_weights: Tensor,
        teacher: Tensor | Rows | None,
        progress: float,
        bank: tuple[Tensor, Tensor] | None = None,
        labelled: Tensor | None = None,
    ) -> None:
        self.inputs, self.labels = inputs, labels
        self.task_weights, self.kd_weights = task_weights, kd_weights
        self.partners, self.progress = teacher, progress
        self.bank = bank
        self.labelled = torch.nonzero(labels >= 0)[:, 0] if labelled is None else labelled

    @property
    def teacher(self) -> Tensor | None:
        """(B, D) raw embeddings of the partners; None where nothing binds the student to a teacher."""
        return self.partners.embeddings() if isinstance(self.partners, Rows) else self.partners

    def in_order(self, order: Tensor, labelled: Tensor) -> "Batch":
        """The same samples in another order.

        Args:
            order: (B,) rows.
            labelled: (L,) rows of the new batch that have a label.

        Returns:
            A new batch, not mixed.
        """
        weights = self.task_weights[order], self.kd_weights[order]
        partners = None if self.partners is None else self.partners[order]
        bank = None if self.bank is None else (self.bank[0], self.bank[1][order])
        found = Batch(self.inputs[order], self.labels[order], *weights, partners, self.progress, bank, labelled)
        found.task_labels = None if self.task_labels is None else self.task_labels[order]
        found.part, found.last = self.part, self.last
        return found


class DistillationModule(nn.Module):
    """Student, its classifier, the teacher's projection and the objective; ``forward`` is one step's loss.

    A student whose embedding has more dimensions than the projection is bound in the first of them only. The
    constraints never move the projection: only its own loss does (our reading).

    Args:
        student: raw inputs to embeddings (B, dim).
        classifier: of embeddings of that ``dim``, with the loss of the task.
        objective: the task's loss and the constraints.
        projection: of the teacher, with its prototypes; None for an objective without terms.
        joint: the projection goes on training under its own cross-entropy(a W t, y) on labelled samples; else it stands
            still, and no gradient reaches it.
        views: what two views of a sample are bound to each other by; None: there is one of each.

    Raises:
        ValueError: the objective has terms and there is no projection.
    """

    def __init__(
        self,
        student: Student,
        classifier: Classifier,
        objective: Objective,
        projection: Projection | None,
        joint: bool = False,
        views: TwoViews | None = None,
    ) -> None:
        super().__init__()
        self.views = views
        if objective.terms and projection is None:
            raise ValueError(f"projection: the terms {sorted(objective.terms)} need one, found None")
        self.student, self.classifier, self.objective, self.projection = student, classifier, objective, projection
        self.needs_bank = any(term.constraint.needs_bank for term in objective.terms.values())
        self.takes_logits = any(term.constraint.takes_teacher_logits for term in objective.terms.values())
        self.takes_own_logits = any(term.constraint.takes_student_logits for term in objective.terms.values())
        self.joint = joint and projection is not None
        self._answers: dict[str, tuple[int, Tensor, Tensor]] = {}
        self._seen: list[tuple[Tensor, int]] = []
        self._states = 0
        self._prototypes: tuple[int, Tensor] | None = None
        self._banked: tuple[int, Tensor, Tensor] | None = None
        if projection is not None and not self.joint:
            projection.requires_grad_(False)

    def __getstate__(self) -> dict[str, Any]:
        """As another process is given it: without what is worked out of the teacher: it lies on this one's device."""
        return {**super().__getstate__(), "_answers": {}, "_seen": [], "_prototypes": None, "_banked": None}

    def train(self, mode: bool = True) -> "DistillationModule":
        """Switch to training or evaluation mode; a projection that stands still is left in evaluation mode.

        So are batch norms that are frozen.

        Args:
            mode: True for training.

        Returns:
            The module itself.
        """
        super().train(mode)
        if self.projection is not None and not self.joint:
            self.projection.eval()
        for layer in self.student.modules() if mode else ():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.affine and not layer.weight.requires_grad:
                layer.eval()
        return self

    def forward(self, batch: Batch) -> ObjectiveOutput:
        """The loss of one step.

        Of mixed inputs x = s x_i + (1 - s) x_j it is s L(x; y_i, t_i) + (1 - s) L(x; y_j, t_j), L being all of the
        objective: the margin of an AAM-softmax is that of each label in turn, and each constraint has the teacher's
        answer to either sample as its target. The gradient of a squared distance is then that of the distance to the
        mixed target s t_i + (1 - s) t_j (our reading; the source does not mix).

        Args:
            batch: with partners where the objective has terms, with a bank where ``needs_bank``, and with a second view
                where there are ``views``.

        Returns:
            What to differentiate, and its detached parts; with ``joint`` and a labelled sample also ``projection``, the
            projection's own cross-entropy in nats, and with ``views`` their loss in nats, which the total then
            includes.

        Raises:
            ValueError: the objective has terms and the batch has no partners.
        """
        if batch.mixed is not None:
            share, other = batch.mixed
            embeddings = self.student(share * batch.inputs.float() + (1 - share) * other.inputs.float())
            one, two = (self._bound(each, embeddings) for each in (batch, other))
            parts = {name: share * value + (1 - share) * two.parts[name] for name, value in one.parts.items()}
            return ObjectiveOutput(share * one.total + (1 - share) * two.total, parts)
        if self.views is None or batch.second is None:
            return self._bound(batch, self.student(batch.inputs))
        first, second = self.student(torch.cat([batch.inputs, batch.second])).chunk(2)
        output, part = self._bound(batch, first), batch.part
        value = part.shares.rows * self.views(part.gathered(first), part.gathered(second))
        return ObjectiveOutput(output.total + self.views.weight * value, {**output.parts, "views": value.detach()})

    def _bound(self, batch: Batch, embeddings: Tensor) -> ObjectiveOutput:
        """The objective of the batch on its embeddings (B, dim), and the projection's own loss where it is trained."""
        labels, labelled = batch.labels, batch.labelled
        own = labels if batch.task_labels is None else batch.task_labels
        task = self.classifier(embeddings, own, labelled, self.takes_own_logits)
        values, whole = task.values, len(labelled) == len(labels)
        if not whole:  # the zero lets a batch without any label reach the student, so that a step can be taken on it
            values = values + 0 * embeddings.float().sum(dim=1)
        part = batch.part
        over_ranks = {"gather": part.gathered if part.spread else None, "shares": part.shares}
        given = (values, batch.task_weights, batch.kd_weights, batch.progress, labels)
        if not self.objective.terms:
            return self.objective(None, *given, **over_ranks)
        if self.projection is None or batch.partners is None:
            raise ValueError(f"batch.teacher: the terms {sorted(self.objective.terms)} need partners, found None")
        fixed = not (self.joint or self.projection.training)
        projected = self._projected(batch, self.projection)
        prototypes = self._unit_prototypes(self.projection) if fixed else self.projection.prototypes()
        scale = self.projection.config.scale
        bound = embeddings[:, : projected.shape[1]]
        compared = ConstraintInputs(
            student=bound,
            teacher=projected.detach(),
            labels=labels,
            prototypes=prototypes.detach(),
            student_raw=bound,
            teacher_raw=projected.detach() * bound.shape[1] ** 0.5,
            student_logits=_of_classes(task.logits, None if batch.task_labels is None else len(prototypes)),
            teacher_logits=self._teacher_logits(batch, self.projection) if fixed else None,
            bank=None if batch.bank is None else self._bank(batch.bank[0], self.projection),
            bank_rows=None if batch.bank is None else batch.bank[1],
            scale=scale,
            normalised=fixed,
        )
        output = self.objective(compared, *given, **over_ranks)
        if not self.joint or not (len(labelled) or part.spread):
            return output
        logits = scale * (projected if whole else projected[labelled]).float() @ prototypes.float().T
        own = _mean_over_ranks(logits, labels, labelled, part)
        return ObjectiveOutput(output.total + own, {**output.parts, "projection": own.detach()})

    def _state(self, projection: Projection) -> int:
        """A number that rises whenever the projection's tensors are others or have been written to."""
        now = [(each, each._version) for each in (*projection.parameters(), *projection.buffers())]
        same = len(now) == len(self._seen) and all(
            one is other and version == before for (one, version), (other, before) in zip(now, self._seen, strict=True)
        )
        if not same:
            self._seen, self._states = now, self._states + 1
        return self._states

    def _unit_prototypes(self, projection: Projection) -> Tensor:
        """(C, d) what ``unit`` gives of the prototypes of a projection that stands still, worked out once."""
        state = self._state(projection)
        if self._prototypes is None or self._prototypes[0] != state:
            self._prototypes = state, unit(full(projection.prototypes().detach()))
        return self._prototypes[1]

    def _projected(self, batch: Batch, projection: Projection) -> Tensor:
        """(B, d) the partners, projected."""
        known = self._known(batch.partners, projection, "projected", projection.config.dim, projection)
        return projection(batch.teacher) if known is None else known

    def _teacher_logits(self, batch: Batch, projection: Projection) -> Tensor | None:
        """(B, C) of a projection that stands still, where constraints take them."""
        if not self.takes_logits:
            return None

        def ask(part: Tensor) -> Tensor:
            return teacher_logits(projection(part), projection.prototypes().detach(), projection.config.scale)

        return self._known(batch.partners, projection, "logits", len(projection.weight), ask)

    def _known(
        self,
        partners: Tensor | Rows | None,
        projection: Projection,
        what: str,
        width: int,
        ask: Callable[[Tensor], Tensor],
    ) -> Tensor | None:
        """(B, width) what a projection that stands still has for the batch: all of the teacher's are asked once.

        None where it moves, where the batch does not name its rows, and where that would be too much to keep.
        """
        rows = partners if isinstance(partners, Rows) else None
        if self.joint or projection.training or rows is None or len(rows.table) * width > LARGEST:
            return None
        state, before = self._state(projection), self._answers.get(what)
        if before is None or before[0] != state or before[1] is not rows.table:
            before = state, rows.table, in_parts(rows.table, lambda part: ask(part).detach())
            self._answers[what] = before
        return before[2].index_select(0, rows.rows)

    def _bank(self, raw: Tensor, projection: Projection) -> Tensor:
        """(K, d) the bank's instances, projected: every step where the projection moves or the bank is another.

        Of one that stands still they are what ``unit`` gives.
        """
        if self.joint or projection.training:
            return projection(raw).detach()
        state = self._state(projection)
        if self._banked is None or self._banked[0] != state or self._banked[1] is not raw:
            self._banked = state, raw, unit(full(projection(raw).detach()))
        return self._banked[2]


def _of_classes(logits: Tensor | None, classes: int | None) -> Tensor | None:
    """The logits of the first classes, without those of variants that are classes of their own; None takes all."""
    return logits if logits is None or classes is None else logits[:, :classes]


def _mean_over_ranks(logits: Tensor, labels: Tensor, labelled: Tensor, part: Part) -> Tensor:
    """The cross-entropy of labelled samples, as their share in the whole batch's; 0 where no rank has any."""
    entropy = torch.nn.functional.cross_entropy
    if not part.spread:
        mean = entropy(logits, labels[labelled].long())
    else:
        each = torch.zeros_like(labels, dtype=logits.dtype)
        each = part.gathered(each.index_put((labelled,), entropy(logits, labels[labelled].long(), reduction="none")))
        mean = each.sum() / (part.gathered(labels) >= 0).sum().clamp_min(1)
    return mean if part.labelled == 1 else part.labelled * mean
