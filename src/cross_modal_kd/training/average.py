"""A moving average of the weights, measured and kept in their place."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """a <- d a + (1 - d) w after each step t, with d = min(decay, (1 + t) / (10 + t)), t counted from 0.

    The rate rises, so that the weights of the first steps are soon forgotten. What is no parameter (the statistics of
    batch norms) is the network's own. Memory: the parameters that are trained, once more.

    Args:
        module: whose parameters are averaged; the average starts from them.
        decay: in (0, 1).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._weights = [parameter.detach() for parameter in module.parameters() if parameter.requires_grad]
        self._average = [weight.clone() for weight in self._weights]
        self._decay, self._steps = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """Once after each step."""
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._average, self._weights, 1 - decay)
        self._steps += 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A context in which the module has the average for its weights."""
        own = [weight.clone() for weight in self._weights]
        self._set(self._average)
        try:
            yield
        finally:
            self._set(own)

    @torch.no_grad()
    def _set(self, values: list[Tensor]) -> None:
        torch._foreach_copy_(self._weights, values)

    def state(self) -> dict[str, object]:
        """What ``load`` goes on from."""
        return {"steps": self._steps, "weights": self._average}

    def load(self, state: dict[str, object]) -> None:
        """Go on from a state.

        Args:
            state: of ``state``, its tensors on the device of the weights.

        Raises:
            ValueError: it is that of other weights.
        """
        found = state["weights"]
        if not isinstance(found, list) or [w.shape for w in found] != [w.shape for w in self._average]:
            raise ValueError("training.ema: the average is that of other weights")
        torch._foreach_copy_(self._average, found)
        self._steps = int(state["steps"])  # type: ignore[call-overload]
