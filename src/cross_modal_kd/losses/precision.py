"""Losses are computed in single precision or better, whatever the network runs in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

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


@contextmanager
def no_autocast(values: Tensor) -> Iterator[None]:
    """A context in which no operation falls back to half precision, nor a product of float32 to TF32.

    What stands in it is differentiated outside of it, where autocast has no say but TF32 has: see ``full_products``.

    Args:
        values: A tensor on the device that it is for.

    Yields:
        Nothing.
    """
    if values.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
        yield
        return
    with torch.autocast(device_type=values.device.type, enabled=False), full_products(values.device):
        yield


@contextmanager
def full_products(device: torch.device) -> Iterator[None]:
    """A context in which a GPU multiplies float32 matrices in float32, whatever the process allows.

    TF32 rounds what is multiplied to 10 bits: 2e-4 to 5e-4 off in our losses and their gradients, and where a gradient
    changes its sign at a margin, as in the relational constraint, 2e-2. torch allows it to products of matrices where
    ``torch.set_float32_matmul_precision``, TORCH_ALLOW_TF32_CUBLAS_OVERRIDE or a library says so, and on an H100 with
    torch 2.11 it was seen where nobody had. The setting is the whole process's: to have gradients in float32 too,
    ``backward`` must be called in such a context.

    Args:
        device: Where the products are; nothing is changed for others than CUDA.

    Yields:
        Nothing.
    """
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    if device.type != "cuda" or before == "ieee":
        yield
        return
    # under its newer name alone: else torch would refuse to read it after somebody's allow_tf32 = False
    products.fp32_precision = "ieee"
    try:
        yield
    finally:
        products.fp32_precision = before


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
    return _scaled(values)[0]


def unit_weights(weights: Tensor) -> Tensor:
    """``unit`` of weights that nothing else is made of, with its gradient in six passes over them in place of eleven.

    The same numbers, as long as no other gradient is added to the weights': then sums would be rounded in another
    order. It is differentiable once.

    Args:
        weights: (..., d).

    Returns:
        The same shape.
    """
    if not (torch.is_grad_enabled() and weights.requires_grad):
        return unit(weights)
    found: Tensor = _Unit.apply(weights)
    return found


def _scaled(values: Tensor) -> tuple[Tensor, Tensor]:
    """What ``unit`` gives, and what rows are divided by (..., 1)."""
    length = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    divisor = length.masked_fill(length <= SHORT, torch.inf).masked_fill(length == torch.inf, torch.nan)
    return values / divisor, divisor


class _Unit(torch.autograd.Function):
    """u = x / |x| with the gradient g / |x| - u (g . u) / |x|; rows without direction have g / inf = 0 alone."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        found, divisor = _scaled(values)
        ctx.save_for_backward(found, divisor)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,), (found, divisor) = gradients, ctx.saved_tensors
        along = (found / divisor).mul_(gradient).sum(dim=-1, keepdim=True).neg_()
        return (gradient / divisor).add_(found * along)
