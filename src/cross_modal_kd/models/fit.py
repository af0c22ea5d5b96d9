"""Does a saved model's configuration fit its tensors? Asked before memory is taken for what the configuration says."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.errors import ModelError

Network = TypeVar("Network", bound=nn.Module)


@contextmanager
def building(bundle: ModelBundle) -> Iterator[None]:
    """Within it, whatever goes wrong with a saved model is a ModelError that names where it was read from.

    Args:
        bundle: The model.

    Yields:
        Nothing.

    Raises:
        ModelError: Something went wrong, but for a lack of memory.
    """
    try:
        yield
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # a library meets a wild configuration with whatever comes first
        said = f"{type(error).__name__}: {error}"[:600]
        raise ModelError(f"{bundle.where}: the model cannot be built ({said}); make it again") from error


def filled(build: Callable[[], Network], tensors: Mapping[str, Any]) -> Network:
    """A network with saved tensors.

    It is built without memory first, so that sizes that are not those of the tensors cost nothing.

    Args:
        build: Makes the network, with any weights.
        tensors: Its state by name.

    Returns:
        The network, on the CPU, in evaluation mode.

    Raises:
        ValueError: The tensors are not those of the network.
    """
    state = {name: torch.as_tensor(tensor) for name, tensor in tensors.items()}
    require_fit(build, state)
    network = build()
    network.load_state_dict(state)
    return network.eval()


def require_fit(build: Callable[[], nn.Module], tensors: Mapping[str, Any]) -> None:
    """Make sure that tensors are those of a network, without memory for it.

    Args:
        build: Makes the network.
        tensors: Its state by name.

    Raises:
        ValueError: One is missing, left over, or of another shape or dtype; the message names the first.
    """
    outline = _outline(build)
    if outline is None:
        return
    wanted = outline.state_dict()
    for name in [*wanted, *tensors]:
        if name not in tensors:
            raise ValueError(f"the tensor {name!r} is missing")
        if name not in wanted:
            raise ValueError(f"the tensor {name!r} belongs to another model")
        require_tensor(tensors, name, tuple(wanted[name].shape), wanted[name].dtype)


def require_tensor(
    tensors: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: torch.dtype = torch.float32
) -> None:
    """Make sure that there is a tensor of that name, shape and dtype.

    Args:
        tensors: By name.
        name: Of the tensor.
        shape: Which it must have; -1 stands for any size.
        dtype: Which it must have.

    Raises:
        ValueError: There is none, or it has another shape or dtype.
    """
    if name not in tensors:
        raise ValueError(f"the tensor {name!r} is missing")
    found = torch.as_tensor(tensors[name])
    if len(found.shape) != len(shape) or any(s not in (-1, n) for s, n in zip(shape, found.shape, strict=True)):
        raise ValueError(f"the tensor {name!r} must have shape {shape}, found {tuple(found.shape)}")
    if found.dtype != dtype:
        raise ValueError(f"the tensor {name!r} must be of {dtype}, found {found.dtype}")


def _outline(build: Callable[[], Network]) -> Network | None:
    """The network without memory; None of one that cannot be built so (it asks for values as it is built)."""
    try:
        with torch.device("meta"):
            return build()
    except (NotImplementedError, RuntimeError) as error:
        if "meta" in str(error):
            return None
        raise
