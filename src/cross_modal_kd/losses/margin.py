"""The soft margin: nothing is asked of what is near enough."""

from torch import Tensor


def soft_margin(values: Tensor, margin: float | Tensor) -> Tensor:
    """max(0, values - margin); the gradient inside the margin is zero. ``margin`` 0 is the hard form of values >= 0."""
    return (values - margin).clamp_min(0)


def check_margin(margin: float | Tensor, batch: int) -> None:
    """ValueError unless ``margin`` is one number >= 0, or a tensor of shape () or (batch,)."""
    if isinstance(margin, Tensor):
        if margin.shape not in ((), (batch,)):
            raise ValueError(f"margin: expected one number or shape ({batch},), found shape {tuple(margin.shape)}")
    elif not margin >= 0:
        raise ValueError(f"margin: expected a number >= 0 (0 is the hard form), found {margin}")
