"""Everything that takes part in one step, as one module, so that any launcher of devices can wrap it."""

import torch
from torch import Tensor, nn

from cross_modal_kd.losses import Classifier, ConstraintInputs, Objective, ObjectiveOutput
from cross_modal_kd.models import Projection, Student


class Batch:
    """What one step reads.

    A plain class on purpose: Fabric finds the tensors in anything else and rounds those of floats to half precision
    before the first layer. A waveform, an embedding of the teacher or a weight is not to be rounded.

    Args:
        inputs: (B, ...) raw inputs of the student's modality.
        labels: (B,) class numbers, -1 for a sample without label.
        task_weights: (B,) >= 0, of the task's loss.
        kd_weights: (B,) >= 0, of the constraints.
        teacher: (B, D) raw embeddings of the partners; None where nothing binds the student to a teacher.
        progress: share of the training that is done, in [0, 1].
        bank: raw embeddings of all instances (K, D) and the row of each sample's own (B,), where a constraint needs it.
            Batches that hold the very same tensor of embeddings have it projected once, if the projection stands still.
        labelled: (L,) rows of the batch that have a label; None looks them up, which on a GPU waits for the device.
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        task_weights: Tensor,
        kd_weights: Tensor,
        teacher: Tensor | None,
        progress: float,
        bank: tuple[Tensor, Tensor] | None = None,
        labelled: Tensor | None = None,
    ) -> None:
        self.inputs, self.labels = inputs, labels
        self.task_weights, self.kd_weights = task_weights, kd_weights
        self.teacher, self.progress = teacher, progress
        self.bank = bank
        self.labelled = torch.nonzero(labels >= 0)[:, 0] if labelled is None else labelled


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
    ) -> None:
        super().__init__()
        if objective.terms and projection is None:
            raise ValueError(f"projection: the terms {sorted(objective.terms)} need one, found None")
        self.student, self.classifier, self.objective, self.projection = student, classifier, objective, projection
        self.needs_bank = any(term.constraint.needs_bank for term in objective.terms.values())
        self.joint = joint and projection is not None
        self._banked: tuple[Tensor, Tensor] | None = None
        if projection is not None and not self.joint:
            projection.requires_grad_(False)

    def train(self, mode: bool = True) -> "DistillationModule":
        """Switch to training or evaluation mode; a projection that stands still is left in evaluation mode.

        Args:
            mode: True for training.

        Returns:
            The module itself.
        """
        super().train(mode)
        if self.projection is not None and not self.joint:
            self.projection.eval()
        return self

    def forward(self, batch: Batch) -> ObjectiveOutput:
        """The loss of one step.

        Args:
            batch: with partners where the objective has terms, and with a bank where ``needs_bank``.

        Returns:
            What to differentiate, and its detached parts; with ``joint`` and a labelled sample also ``projection``, the
            projection's own cross-entropy in nats, which the total then includes.

        Raises:
            ValueError: the objective has terms and the batch has no partners.
        """
        labels, labelled = batch.labels, batch.labelled
        embeddings = self.student(batch.inputs)
        task = self.classifier(embeddings, labels, labelled)
        # the zero lets a batch without any label reach the student, so that a step can be taken on it
        values = task.values + 0 * embeddings.float().sum(dim=1)
        if not self.objective.terms:
            return self.objective(None, values, batch.task_weights, batch.kd_weights, batch.progress, labels=labels)
        if self.projection is None or batch.teacher is None:
            raise ValueError(f"batch.teacher: the terms {sorted(self.objective.terms)} need partners, found None")
        projected = self.projection(batch.teacher)
        prototypes = self.projection.prototypes()
        scale = self.projection.config.scale
        bound = embeddings[:, : projected.shape[1]]
        compared = ConstraintInputs(
            student=bound,
            teacher=projected.detach(),
            labels=labels,
            prototypes=prototypes.detach(),
            student_raw=bound,
            teacher_raw=projected.detach() * bound.shape[1] ** 0.5,
            student_logits=task.logits,
            bank=None if batch.bank is None else self._bank(batch.bank[0], self.projection),
            bank_rows=None if batch.bank is None else batch.bank[1],
            scale=scale,
        )
        output = self.objective(compared, values, batch.task_weights, batch.kd_weights, batch.progress)
        if not self.joint or not len(labelled):
            return output
        logits = scale * projected[labelled].float() @ prototypes.float().T
        own = torch.nn.functional.cross_entropy(logits, labels[labelled].long())
        return ObjectiveOutput(output.total + own, {**output.parts, "projection": own.detach()})

    def _bank(self, raw: Tensor, projection: Projection) -> Tensor:
        """(K, d) the bank's instances, projected: every step where the projection moves or the bank is another."""
        if self.joint or projection.training:
            return projection(raw).detach()
        if self._banked is None or self._banked[0] is not raw:
            self._banked = raw, projection(raw).detach()
        return self._banked[1]
