"""The soft margin: nothing is asked of what is near enough."""

from torch import Tensor


def soft_margin(values: Tensor, margin: float) -> Tensor:
    """max(0, values - margin); the gradient is zero inside the margin and on its edge.

    By ``relu``: on the edge the gradient of ``clamp`` is 1 in torch 2.11 and 0 in 2.14.

    Args:
        values: Any shape, in the constraint's units.
        margin: m >= 0 in the same units; 0 is the hard form of values >= 0.

    Returns:
        The same shape, >= 0.

    >>> import torch
    >>> soft_margin(torch.tensor([0.25, 1.0]), 0.5).tolist()
    [0.0, 0.5]
    """
    return (values - margin).relu()


def check_margin(margin: float) -> float:
    """The margin, if it is one.

    Args:
        margin: m.

    Returns:
        ``margin`` itself.

    Raises:
        ValueError: Unless it is a number >= 0.
    """
    if not margin >= 0:
        raise ValueError(f"margin: expected a number >= 0 (0 is the hard form), found {margin}")
    return margin
