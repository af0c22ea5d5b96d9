"""The device, from the configuration. No other file asks whether there is a GPU: it is given the device."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from cross_modal_kd.config import ComputeConfig, ConfigError, TrainingConfig

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

DEV_AT_MOST = timedelta(days=1)
"""How long ranks wait for one another: as long as the first may take over a dev split. One that ends is seen long
before, by whoever has started it."""


def make_fabric(config: TrainingConfig, leaves_unused: bool = True) -> "Fabric":
    """The Fabric of one training, of one rank where there are several.

    On several devices each rank is a process, started by ``training.ranks``, torchrun or srun with its number in its
    environment; nothing is started here.

    Args:
        config: its block ``compute`` (see ``pick_precision``).
        leaves_unused: with several ranks, whether a batch may leave a trained parameter without gradient: then they
            are looked for at every step.

    Returns:
        A Fabric that places modules and runs their steps; ``fabric.device`` is the device.
    """
    from cross_modal_kd.compute.fabric import (
        DDPStrategy,
        Fabric,
        LightningEnvironment,
        SLURMEnvironment,
        TorchElasticEnvironment,
    )

    compute, precision = config.compute, cast(Any, pick_precision(config))
    if config.deterministic and compute.accelerator in ("auto", "cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first product is made
    if not shared(compute):
        return Fabric(accelerator=compute.accelerator, devices=1, precision=precision)
    by, _ = launcher() or ("", 1)
    environment: Any = {"torchrun": TorchElasticEnvironment, "srun": SLURMEnvironment}.get(by, LightningEnvironment)()
    return Fabric(
        accelerator=compute.accelerator,
        devices=compute.count,
        num_nodes=compute.num_nodes,
        strategy=DDPStrategy(find_unused_parameters=leaves_unused, timeout=DEV_AT_MOST),
        precision=precision,
        plugins=[environment],
    )


def shared(compute: ComputeConfig) -> bool:
    """Whether a training is shared by ranks, each a process.

    Args:
        compute: devices, machines and strategy.

    Returns:
        True for several devices, and for ``ddp`` on one.
    """
    return compute.strategy == "ddp" or compute.count * compute.num_nodes > 1


def launcher() -> tuple[str, int] | None:
    """Who has started this process as one of several ranks.

    Returns:
        ``torchrun`` or ``srun``, and how many they are; None where this process is the only one.
    """
    for name, mark, count in (
        ("torchrun", "TORCHELASTIC_RUN_ID", "WORLD_SIZE"),
        ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ):
        if mark in os.environ and (ranks := int(os.environ.get(count, 1))) > 1:
            return name, ranks
    return None


def check_started(compute: ComputeConfig) -> None:
    """Make sure that a training on several machines has been started on them.

    Args:
        compute: ``num_nodes``.

    Raises:
        ConfigError: there are to be several, and this process was started neither by torchrun nor by srun.
    """
    if compute.num_nodes > 1 and launcher() is None:
        raise ConfigError(
            f"compute.num_nodes is {compute.num_nodes}: start the command on every machine by torchrun or srun "
            "(docs/scale.md); this process was started by neither"
        )


def pick_precision(config: TrainingConfig) -> str:
    """``auto`` is bf16-mixed where the GPU does it in hardware, 32-true elsewhere.

    Not on a CPU, though some have it: small networks then met numbers that depend on what lay in memory before.

    Args:
        config: ``compute.precision`` and ``compute.accelerator``.

    Returns:
        A precision as Fabric names it.
    """
    import torch

    compute = config.compute
    if compute.precision != "auto":
        return compute.precision
    cuda = compute.accelerator in ("auto", "cuda") and torch.cuda.is_available() and torch.cuda.is_bf16_supported(False)
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
        accelerator: as ``compute.accelerator``: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        The named device; for ``auto`` a CUDA GPU, else Apple's, else the CPU.
    """
    import torch

    if accelerator != "auto":
        return torch.device(accelerator)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
