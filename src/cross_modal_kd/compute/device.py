"""The device, from the configuration. No other file asks whether there is a GPU: it is given the device."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from cross_modal_kd.compute.versions import version_alone
from cross_modal_kd.config import TrainingConfig

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric


def make_fabric(config: TrainingConfig) -> "Fabric":
    """The Fabric of one training, on one device.

    Args:
        config: ``accelerator`` (``auto`` takes a GPU where there is one) and ``precision`` (see ``pick_precision``).

    Returns:
        A Fabric that places modules and runs their steps; ``fabric.device`` is the device.
    """
    fabric, precision = _fabric(), cast(Any, pick_precision(config))
    if config.deterministic and config.accelerator in ("auto", "cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first product is made
    return fabric(accelerator=config.accelerator, devices=1, precision=precision)


def _fabric() -> "type[Fabric]":
    """Fabric, by itself or as a part of the whole of Lightning, whose training loop takes four seconds to import."""
    with version_alone("torchmetrics"):
        alone = find_spec("lightning_fabric") is not None
        fabric: type[Fabric] = import_module("lightning_fabric" if alone else "lightning.fabric").Fabric
    return fabric


def pick_precision(config: TrainingConfig) -> str:
    """``auto`` is bf16-mixed where the GPU does it in hardware, 32-true elsewhere.

    Not on a CPU, though some have it: small networks then met numbers that depend on what lay in memory before.

    Args:
        config: ``precision`` and ``accelerator``.

    Returns:
        A precision as Fabric names it.
    """
    import torch

    if config.precision != "auto":
        return config.precision
    cuda = config.accelerator in ("auto", "cuda") and torch.cuda.is_available() and torch.cuda.is_bf16_supported(False)
    return "bf16-mixed" if cuda else "32-true"


@contextmanager
def repeatable(device: "torch.device", wanted: bool) -> Iterator[None]:
    """A context in which a GPU takes algorithms that give the same result each time.

    An operation that has none is warned of by torch, once, and runs as it is.

    Args:
        device: nothing is changed for others than CUDA, which have no others.
        wanted: as ``training.deterministic``; False changes nothing.

    Yields:
        Nothing.
    """
    import torch

    if not wanted or device.type != "cuda" or torch.are_deterministic_algorithms_enabled():
        yield
        return
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # nothing here reads what it has not written
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
        memory.fill_uninitialized_memory = filled


def device_for(accelerator: str = "auto") -> "torch.device":
    """The device to embed on: the one that ``make_fabric`` would train on.

    Args:
        accelerator: as ``training.accelerator``: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        The named device; for ``auto`` a CUDA GPU, else Apple's, else the CPU.
    """
    import torch

    if accelerator != "auto":
        return torch.device(accelerator)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
