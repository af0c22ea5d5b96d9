"""The student's own task: one loss a sample, and logits without margin. ``aam.py`` holds the other classifier."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cross_modal_kd.losses.inputs import check_numbers
from cross_modal_kd.losses.precision import full, no_autocast


class TaskOutput(NamedTuple):
    """values: (B,) loss per sample, 0 where the label is -1; logits: (B, C) without margin, already scaled, or None."""

    values: Tensor
    logits: Tensor | None


class Classifier(nn.Module):
    """The student's classifier with its loss. Subclasses give ``logits`` and ``loss``; ``weight`` is (C, d)."""

    n_classes: int

    def forward(
        self, embeddings: Tensor, labels: Tensor, labelled: Tensor | None = None, with_logits: bool = True
    ) -> TaskOutput:
        """Loss and logits of one batch, in single precision or better whatever autocast says.

        On a GPU nothing here waits for the device where ``labelled`` is given.

        Args:
            embeddings: (B, d) of the student.
            labels: (B,) integers of any width, -1 for a sample without label. Checked on the CPU only.
            labelled: rows (L,) that have a label; None looks them up.
            with_logits: whether the logits are wanted, which cost a product of their own.

        Returns:
            The loss of each sample, and logits without margin.

        Raises:
            ValueError: If the labels are no integers, one for each embedding, or a label, in memory of the CPU, has no
                class.
        """
        if labels.shape != embeddings.shape[:1] or labels.is_floating_point() or labels.is_complex():
            raise ValueError(
                f"labels: expected {len(embeddings)} integers, found {labels.dtype} of shape {tuple(labels.shape)}"
            )
        check_numbers(labels, -1, self.n_classes, "labels")
        with no_autocast(embeddings):
            embeddings, labels = full(embeddings), labels.to(embeddings.device, torch.int64)
            rows = torch.nonzero(labels >= 0)[:, 0] if labelled is None else labelled
            if len(rows) == len(embeddings):
                if with_logits:
                    return TaskOutput(*self.both(embeddings, labels))
                # a view, so that the loss's gradients are summed before others join them
                return TaskOutput(self.loss(embeddings.view_as(embeddings), labels), None)
            values = embeddings.new_zeros(len(embeddings))
            if len(rows):
                values = values.index_put((rows,), self.loss(embeddings[rows], labels[rows]))
            return TaskOutput(values, self.logits(embeddings) if with_logits else None)

    def first(self, classes: int) -> "Classifier":
        """The classifier of its first classes alone, for a student whose training had others beside them.

        Args:
            classes: how many, at most C.

        Returns:
            The classifier itself where it has no others, else a copy of that part.

        Raises:
            ValueError: It has others, and cannot be cut.
        """
        if classes == self.n_classes:
            return self
        raise ValueError(f"{type(self).__name__}: {self.n_classes} classes cannot be cut to {classes}")

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of labelled samples.

        Args:
            embeddings: (n, d).
            labels: (n,) int64 in [0, C).

        Returns:
            (n,) values >= 0 in nats.
        """
        raise NotImplementedError

    def both(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of samples that are all labelled, of one product with the prototypes where that can be.

        Args:
            embeddings: (n, d).
            labels: (n,) int64 in [0, C).

        Returns:
            What ``loss`` and ``logits`` give.
        """
        return self.loss(embeddings, labels), self.logits(embeddings)

    def logits(self, embeddings: Tensor) -> Tensor:
        """How the samples are classified.

        Args:
            embeddings: (B, d).

        Returns:
            (B, C) logits without margin, already scaled.
        """
        raise NotImplementedError


class LinearClassifier(Classifier):
    """Linear classifier under cross-entropy with label smoothing: target (1 - e) onehot(y) + e / C.

    Args:
        n_classes: C >= 1.
        dim: d, of the embeddings.
        label_smoothing: e, 0 <= e < 1.

    Raises:
        ValueError: If the smoothing is out of range.
    """

    def __init__(self, n_classes: int, dim: int, label_smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing: expected 0 <= e < 1, found {label_smoothing}")
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.weight = nn.Parameter(torch.empty(n_classes, dim))
        self.bias = nn.Parameter(torch.zeros(n_classes))
        nn.init.trunc_normal_(self.weight, std=dim**-0.5)

    def logits(self, embeddings: Tensor) -> Tensor:
        """W x + b; see ``Classifier.logits``."""
        return F.linear(full(embeddings), self.weight, self.bias)

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """See ``Classifier.loss``."""
        return self.both(embeddings, labels)[0]

    def both(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Classifier.both``."""
        logits = self.logits(embeddings)
        return F.cross_entropy(logits, labels, reduction="none", label_smoothing=self.label_smoothing), logits
