"""The whole objective: the task, and what binds the student to the teacher."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.kinds import one_of
from cross_modal_kd.losses.precision import full, no_autocast
from cross_modal_kd.losses.reducers import Reducer, check_weights, mean
from cross_modal_kd.losses.registry import REDUCERS


@dataclass(frozen=True)
class Term:
    """One constraint in the objective.

    Args:
        constraint: What is computed for each sample.
        weight: lambda, without unit.
        reducer: How samples become one number: a key of ``REDUCERS``, or a function of (values, weights, active).
        warmup: Share of the training, in [0, 1], over which lambda grows from 0.

    Raises:
        ValueError: If there is no such reducer, or the share is out of range.
    """

    constraint: Constraint
    weight: float = 1.0
    reducer: str | Reducer = "mean"
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.reducer, str):
            one_of(REDUCERS, self.reducer, "reducer")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup: expected a share of the training in [0, 1], found {self.warmup}")

    @property
    def reduce(self) -> Reducer:
        """The reducer as a function."""
        return REDUCERS[self.reducer] if isinstance(self.reducer, str) else self.reducer

    def weight_at(self, progress: float) -> float:
        """lambda at one moment of the training.

        Args:
            progress: Share of the training that is done, in [0, 1].

        Returns:
            ``weight`` times a factor that grows from 0 to 1 over the warmup.
        """
        return self.weight * min(1.0, progress / self.warmup) if self.warmup else self.weight


@dataclass(frozen=True)
class Shares:
    """What share of a whole batch's sums stands in the part that the objective is given, each in [0, 1].

    rows: of its samples. task, kd: of its weights for the task, and for the terms.
    """

    rows: float = 1.0
    task: float = 1.0
    kd: float = 1.0


class ObjectiveOutput(NamedTuple):
    """What one batch gave.

    total: one number, to be differentiated. parts: detached scalars ``task``, and for every term ``<term>`` (reduced,
    before lambda), ``<term>_active`` (mean share outside the margin) and ``<term>_raw`` (mean before the margin).
    """

    total: Tensor
    parts: dict[str, Tensor]


class Objective(nn.Module):
    """L = mean w_task L_task + sum over terms k of lambda_k(progress) reduce_k(w_kd, L_k).

    Samples without label (-1) have no part in the task's loss and full part in the terms. Weights are renormalised to
    mean 1 over the samples that take part. Our reading; the source's formula was not available.

    Args:
        terms: The constraints by names of your choice; none of them: the task's loss alone.
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
        gather: Callable[[Tensor], Tensor] | None = None,
        shares: Shares | None = None,
    ) -> ObjectiveOutput:
        """The objective of one batch, in single precision or better whatever autocast says.

        Args:
            inputs: The batch; None will do for an objective without terms.
            task_loss: (B,) the task's loss of each sample.
            task_weights: (B,) finite, >= 0, of the task's loss; None is ones. That is checked on a CPU alone: on a GPU
                the step would wait for the answer.
            kd_weights: (B,) likewise, of the terms; None is ones.
            progress: Share of the training that is done, in [0, 1].
            labels: (B,) integers, by default those of ``inputs``; where both are None every sample counts as labelled.
            gather: Where a batch is spread over ranks: of a tensor with a row for each sample here, that of all ranks.
                Means are then over all of them, and a constraint is given of every rank what it ``gathers``. None: the
                batch is here.
            shares: Where the samples are a part of a batch: what is given back are then addends, which over all parts
                sum to the mean over the whole batch (with the reducer ``active_mean`` about so: what is active is not
                known before). None: it is the whole batch.

        Returns:
            What to differentiate, and its parts.

        Raises:
            ValueError: If the share is out of range, the batch missing, weights or labels are of another shape, or
                weights on a CPU negative or not finite.
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
            if labels.shape != task_loss.shape:
                raise ValueError(
                    f"labels: expected shape {tuple(task_loss.shape)} as task_loss, found {tuple(labels.shape)}"
                )
            task_weights = task_weights * (labels.to(task_weights.device, torch.int64) >= 0)

        shares, over_ranks = shares or Shares(), gather or _as_it_is
        task_loss, task_weights, kd_weights = (over_ranks(each) for each in (task_loss, task_weights, kd_weights))
        with no_autocast(task_loss):
            total = _share(shares.task, mean(task_loss, task_weights, task_weights))
            parts = {"task": total.detach()}
            if inputs is None:
                return ObjectiveOutput(total, parts)
            for name, term in self.terms.items():
                output = _compared(term.constraint, inputs, gather)
                value = _share(shares.kd, output.reduce(term.reduce, kd_weights))
                total = total + term.weight_at(progress) * value
                parts[name] = value.detach()
                parts[f"{name}_active"] = _share(shares.rows, output.active.mean().detach())
                parts[f"{name}_raw"] = _share(shares.rows, output.raw.mean().detach())
        return ObjectiveOutput(total, parts)


def _as_it_is(values: Tensor) -> Tensor:
    return values


def _share(share: float, value: Tensor) -> Tensor:
    return value if share == 1 else share * value


def _compared(
    constraint: Constraint, inputs: ConstraintInputs, gather: Callable[[Tensor], Tensor] | None
) -> ConstraintOutput:
    """What a constraint finds for each sample, of all ranks."""
    if gather is None:
        return constraint(inputs)
    if constraint.gathers:
        return constraint(inputs.gathered(constraint.gathers, gather))
    return ConstraintOutput(*(gather(each) for each in constraint(inputs)))


def _weights(weights: Tensor | None, like: Tensor, name: str) -> Tensor:
    if weights is None:
        return torch.ones_like(like)
    check_weights(weights, like, name, "task_loss")
    return weights.to(like)
