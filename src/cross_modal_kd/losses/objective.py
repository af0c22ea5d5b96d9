"""The whole objective: the task, and what binds the student to the teacher."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs
from cross_modal_kd.losses.precision import full, no_autocast
from cross_modal_kd.losses.reducers import REDUCERS


@dataclass(frozen=True)
class Term:
    """One constraint in the objective.

    weight: lambda. reducer: a key of REDUCERS. warmup: share of the training over which lambda grows from 0.
    """

    constraint: Constraint
    weight: float = 1.0
    reducer: str = "mean"
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if self.reducer not in REDUCERS:
            raise ValueError(f"reducer: expected one of {', '.join(sorted(REDUCERS))}; found {self.reducer!r}")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup: expected a share of the training in [0, 1], found {self.warmup}")

    def weight_at(self, progress: float) -> float:
        return self.weight * min(1.0, progress / self.warmup) if self.warmup else self.weight


class ObjectiveOutput(NamedTuple):
    """total: what to differentiate. parts: detached scalars ``task``, and for every term ``<term>`` (reduced, before
    lambda), ``<term>_active`` (mean share outside the margin) and ``<term>_raw`` (mean before the margin)."""

    total: Tensor
    parts: dict[str, Tensor]


class Objective(nn.Module):
    """L = mean w_task L_task + sum over terms k of lambda_k(progress) reduce_k(w_kd, L_k).

    Samples without label (-1) have no part in the task's loss and full part in the terms. Weights are renormalised to
    mean 1 over the samples that take part. Our reading; the source's formula was not available.
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        super().__init__()
        self.terms = dict(terms)
        self.constraints = nn.ModuleDict({name: term.constraint for name, term in self.terms.items()})

    def forward(
        self,
        inputs: ConstraintInputs | None,
        task_loss: Tensor,
        task_weights: Tensor | None = None,
        kd_weights: Tensor | None = None,
        progress: float = 1.0,
        labels: Tensor | None = None,
    ) -> ObjectiveOutput:
        """
        inputs: the batch; None will do for an objective without terms.
        task_loss: (B,) per sample. task_weights, kd_weights: (B,) >= 0; None is ones.
        progress: share of the training that is done, in [0, 1].
        labels: (B,), by default those of ``inputs``; where both are None every sample counts as labelled.
        """
        if not 0 <= progress <= 1:
            raise ValueError(f"progress: expected a share of the training in [0, 1], found {progress}")
        if inputs is None and self.terms:
            raise ValueError(f"inputs: expected a batch for the terms {sorted(self.terms)}, found None")
        task_loss = full(task_loss)
        task_weights = _weights(task_weights, task_loss, "task_weights")
        kd_weights = _weights(kd_weights, task_loss, "kd_weights")
        labels = inputs.labels if labels is None and inputs is not None else labels
        if labels is not None:
            task_weights = task_weights * (labels.to(task_weights.device) >= 0)

        with no_autocast(task_loss):
            total = REDUCERS["mean"](task_loss, task_weights, torch.ones_like(task_loss))
            parts = {"task": total.detach()}
            for name, term in self.terms.items():
                assert inputs is not None
                output = term.constraint(inputs)
                value = REDUCERS[term.reducer](output.values, kd_weights, output.active)
                total = total + term.weight_at(progress) * value
                parts[name] = value.detach()
                parts[f"{name}_active"] = output.active.mean().detach()
                parts[f"{name}_raw"] = output.raw.mean().detach()
        return ObjectiveOutput(total, parts)


def _weights(weights: Tensor | None, like: Tensor, name: str) -> Tensor:
    if weights is None:
        return torch.ones_like(like)
    if weights.shape != like.shape:
        raise ValueError(f"{name}: expected shape {tuple(like.shape)} as task_loss, found {tuple(weights.shape)}")
    return weights.to(like)
