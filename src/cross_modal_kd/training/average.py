"""Averages of the weights, measured and kept in their place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


class MeanOfEpochs:
    """The mean of a module's state after each of its last epochs, buffers of floating-point numbers included.

    A running mean: a <- a + (w - a) / n after the n-th of them. Source: Izmailov et al., "Averaging Weights Leads to
    Wider Optima", UAI 2018; as speaker recognition has it, WeSpeaker's average of the last checkpoints. Memory: the
    module's state, once more.

    Args:
        module: whose state is averaged.
    """

    def __init__(self, module: nn.Module) -> None:
        state = module.state_dict()
        self._state = {name: value for name, value in state.items() if value.is_floating_point()}
        self._mean = {name: torch.zeros_like(value) for name, value in self._state.items()}
        self._epochs = 0

    @torch.no_grad()
    def update(self) -> None:
        """Once after each epoch that counts."""
        self._epochs += 1
        for name, mean in self._mean.items():
            mean.lerp_(self._state[name], 1 / self._epochs)

    @torch.no_grad()
    def settle(self) -> None:
        """Give the module the mean for its weights; nothing where no epoch has counted."""
        for name, mean in self._mean.items() if self._epochs else ():
            self._state[name].copy_(mean)

    def state(self) -> dict[str, object]:
        """What ``load`` goes on from."""
        return {"epochs": self._epochs, "weights": self._mean}

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Args:
            state: of ``state``, its tensors on the device of the weights.

        Raises:
            ValueError: it is that of other weights.
        """
        found = state["weights"]
        if {name: mean.shape for name, mean in found.items()} != {n: mean.shape for n, mean in self._mean.items()}:
            raise ValueError("training.keep: the average is that of other weights")
        for name, mean in self._mean.items():
            mean.copy_(found[name])
        self._epochs = int(state["epochs"])
