"""Losses are computed in single precision or better, whatever the network runs in."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

SHORT = 1e-6  # the length up to which an embedding counts as zero


def full(values: Tensor) -> Tensor:
    """Half precision made single.

    Args:
        values: Any shape and type.

    Returns:
        float32 in place of float16 and bfloat16, the same tensor else.

    >>> full(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def no_autocast(values: Tensor) -> AbstractContextManager[None]:
    """A context in which no operation falls back to half precision.

    Args:
        values: A tensor on the device that it is for.

    Returns:
        The context, for ``with``.
    """
    return torch.autocast(device_type=values.device.type, enabled=False)


def unit(values: Tensor) -> Tensor:
    """Rows scaled to length 1.

    Args:
        values: (..., d).

    Returns:
        The same shape. A row no longer than ``SHORT`` has no direction: it becomes zeros, and its gradient is 0 (1 /
        length would outweigh all other rows by far). A row whose length is no finite number becomes NaN.

    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    length = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    divisor = length.masked_fill(length <= SHORT, torch.inf).masked_fill(length == torch.inf, torch.nan)
    return values / divisor
