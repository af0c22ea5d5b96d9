"""Losses are computed in single precision or better, whatever the network runs in."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn import functional as F


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
        The same shape; a row of zeros stays zeros, with a finite gradient.

    >>> unit(torch.tensor([3.0, 4.0]))
    tensor([0.6000, 0.8000])
    """
    return F.normalize(values, dim=-1, eps=1e-6)
