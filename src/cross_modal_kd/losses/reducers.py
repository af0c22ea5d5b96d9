"""From one value a sample to one value a batch."""

from collections.abc import Callable

from torch import Tensor

Reducer = Callable[[Tensor, Tensor, Tensor], Tensor]


def mean(values: Tensor, weights: Tensor, active: Tensor) -> Tensor:
    """sum(w v) / sum(w): the mean of w v once the weights are renormalised to mean 1 over the batch.

    values, weights, active: (B,); ``active`` has no part in it. 0, with gradient 0, where every weight is 0.
    """
    return (weights * values).sum() / _or_one(weights.sum())


def active_mean(values: Tensor, weights: Tensor, active: Tensor) -> Tensor:
    """sum(w v) / sum(w active): the mean over what lies outside the margin; 0, with gradient 0, where nothing does."""
    return (weights * values).sum() / _or_one((weights * active).sum())


def _or_one(total: Tensor) -> Tensor:
    return total.where(total > 0, total.new_ones(()))


REDUCERS: dict[str, Reducer] = {"mean": mean, "active_mean": active_mean}
