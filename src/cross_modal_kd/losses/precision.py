"""Losses are computed in single precision or better, whatever the network runs in."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn import functional as F


def full(values: Tensor) -> Tensor:
    """float16 and bfloat16 become float32; float32 and float64 stay."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def no_autocast(values: Tensor) -> AbstractContextManager[None]:
    """A context on the device of ``values`` in which no operation falls back to half precision."""
    return torch.autocast(device_type=values.device.type, enabled=False)


def unit(values: Tensor) -> Tensor:
    """Rows (..., d) scaled to length 1; a row of zeros stays zeros, with a finite gradient."""
    return F.normalize(values, dim=-1, eps=1e-6)
