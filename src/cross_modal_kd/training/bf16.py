"""What torch cannot be asked in bf16 on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def refused_on_cpu(network: nn.Module, device: torch.device, precision: str) -> Iterator[None]:
    """A context in which no convolution is trained whose gradient would be what lay in memory before.

    In bf16 on a CPU oneDNN leaves parts of a weight's gradient unwritten where the stride of a convolution is larger
    than its input is wide and its kernel is wider than 1: a picture of 16 points in a network that halves it five
    times, say. Found by trying kernels of 1 to 7, strides of 1 to 4 and inputs of 1 to 16 points against float32,
    torch 2.14.1.

    Args:
        network: that is trained within.
        device: on others than a CPU nothing is refused.
        precision: as Fabric names it; nothing is refused but ``bf16-mixed``.

    Yields:
        Nothing.

    Raises:
        ValueError: from the step that meets such a convolution.
    """
    names: dict[nn.Module, str] = {
        module: name for name, module in network.named_modules() if isinstance(module, nn.Conv1d | nn.Conv2d)
    }

    def look(module: nn.Module, given: tuple[Any, ...]) -> None:
        width, stride, kernel = given[0].shape[-1], module.stride[-1], module.kernel_size[-1]  # type: ignore[index]
        if module.training and kernel > 1 and width < stride:
            raise ValueError(
                f"compute.precision bf16-mixed: on a CPU torch has no right gradient for the convolution "
                f"{names[module]} (stride {stride}, input {width} wide): it would be what lay in memory before. Set "
                "compute.precision to 32-true, or give the network larger inputs (inputs.image.size, "
                "inputs.speech.crop_s)"
            )

    wanted = device.type == "cpu" and precision == "bf16-mixed"
    hooks = [module.register_forward_pre_hook(look) for module in names] if wanted else []
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
