"""From one value a sample to one value a batch.

Both are a sum over a sum. Over several ranks each sum is taken over all of them before the division: the mean of the
ranks' means is another number where weights, or what lies outside the margin, are spread unevenly.
"""

import math
from collections.abc import Callable

from torch import Tensor

Reducer = Callable[[Tensor, Tensor, Tensor], Tensor]


def mean(values: Tensor, weights: Tensor, active: Tensor) -> Tensor:  # noqa: ARG001 (a Reducer is given all three)
    """sum(w v) / sum(w): the mean of w v once the weights are renormalised to mean 1 over the batch.

    Args:
        values: (B,) a constraint's values.
        weights: (B,) >= 0, of any scale.
        active: (B,) in [0, 1], the share outside the margin; has no part in it.

    Returns:
        One number; 0, with gradient 0, where every weight is 0.

    >>> import torch
    >>> mean(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0]), torch.ones(2)).item()
    2.0
    """
    return (weights * values).sum() / _or_one(weights.sum())


def active_mean(values: Tensor, weights: Tensor, active: Tensor) -> Tensor:
    """sum(w v) / sum(w active): the mean over what lies outside the margin.

    Args:
        values: (B,) a constraint's values, 0 inside the margin.
        weights: (B,) >= 0, of any scale.
        active: (B,) in [0, 1], the share outside the margin.

    Returns:
        One number; 0, with gradient 0, where nothing lies outside the margin.

    >>> import torch
    >>> active_mean(torch.tensor([0.0, 4.0]), torch.ones(2), torch.tensor([0.0, 1.0])).item()
    4.0
    """
    return (weights * values).sum() / _or_one((weights * active).sum())


def _or_one(total: Tensor) -> Tensor:
    return total.where(total > 0, 1)


def check_weights(weights: Tensor, like: Tensor, name: str, like_name: str) -> None:
    """Refuse weights that are of another shape than the values, or, on a CPU, negative or not finite.

    On a GPU their numbers are not looked at: the step would wait for the device. What a training weighs by was checked
    when it was given.

    Args:
        weights: (B,) of any scale.
        like: (B,) what they weigh.
        name: of the weights, for the message.
        like_name: of the values, likewise.

    Raises:
        ValueError: for the first that cannot be a weight.
    """
    if weights.shape != like.shape:
        raise ValueError(f"{name}: expected shape {tuple(like.shape)} as {like_name}, found {tuple(weights.shape)}")
    if weights.device.type != "cpu" or not len(weights):
        return
    least, most = (float(each) for each in weights.aminmax())  # NaN where there is one
    if not (least >= 0 and most < math.inf):
        row = int(((weights >= 0) & (weights < math.inf)).int().argmin())
        raise ValueError(f"{name}: expected finite numbers from 0 on, found {weights[row].item():g} in row {row}")
