"""The soft margin: nothing is asked of what is near enough."""

from torch import Tensor


def soft_margin(values: Tensor, margin: float) -> Tensor:
    """max(0, values - margin); the gradient inside the margin is zero. ``margin`` 0 is the hard form of values >= 0."""
    return (values - margin).clamp_min(0)


def check_margin(margin: float) -> None:
    """ValueError unless ``margin`` is a number >= 0."""
    if not margin >= 0:
        raise ValueError(f"margin: expected a number >= 0 (0 is the hard form), found {margin}")
