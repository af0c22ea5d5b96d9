"""What a training does on a GPU that a CPU is not asked: memory for tensor cores, fused steps, compiled encoders.

Nothing here changes names or shapes of weights: a checkpoint and a saved student are the same from every device.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric

logger = logging.getLogger(__name__)


def laid_out(network: nn.Module, device: torch.device) -> None:
    """Lay the weights of convolutions over pictures channels last, which makes their outputs so too.

    Args:
        network: its parameters of four dimensions are changed in place, in memory only.
        device: nothing is changed for others than CUDA.
    """
    if device.type == "cuda":
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def scales_loss(fabric: "Fabric") -> bool:
    """Whether gradients are scaled up and down again (half precision), which a fused optimiser would do by itself.

    Args:
        fabric: of the training.

    Returns:
        True for 16-mixed.
    """
    return getattr(fabric.strategy.precision, "scaler", None) is not None


def compiled(student: nn.Module, device: torch.device, description: str) -> bool:
    """Have the student's network compiled at its next step, in its place: its weights keep their names.

    Args:
        student: whose ``encoder`` is meant, without the features that it makes of its inputs.
        device: others than CUDA are passed over, which is said.
        description: of the training, for the log.

    Returns:
        Whether it will be.
    """
    if device.type != "cuda":
        logger.info("%s: training.compile is for CUDA; on %s nothing is compiled", description, device.type)
        return False
    encoder = student.encoder
    getattr(encoder, "network", encoder).compile()  # type: ignore[union-attr]
    return True


def eager(compiles: bool) -> AbstractContextManager[Any]:
    """A context in which nothing is compiled: dev batches are of other sizes and would be compiled anew.

    Args:
        compiles: whether the training compiles anything.

    Returns:
        The context, for ``with``.
    """
    return torch.compiler.set_stance("force_eager") if compiles else nullcontext()


def like_parameters(state: dict[str, Any], optimizer: Any, device: torch.device) -> dict[str, Any]:
    """An optimiser's state with each tensor in memory as its parameter, which a fused step asks for.

    Args:
        state: of a checkpoint, whose tensors are contiguous.
        optimizer: whose state it is to be.
        device: nothing is changed for others than CUDA.

    Returns:
        The state; the same object where nothing is changed.
    """
    if device.type != "cuda":
        return state
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def laid(value: Any, parameter: nn.Parameter) -> Any:
        same = isinstance(value, torch.Tensor) and value.shape == parameter.shape
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value) if same else value

    found = {
        number: {name: laid(value, parameters[number].detach()) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": found}
