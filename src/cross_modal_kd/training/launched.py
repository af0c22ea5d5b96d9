"""Ranks that torchrun or srun has started: the first runs the pipeline, the others wait for its trainings.

So the same command, started once for each device, is one run: one writer, one run in MLflow.
"""

import datetime
import logging
from dataclasses import dataclass, replace
from typing import Any

import torch

from cross_modal_kd.compute import launcher, make_fabric, shared
from cross_modal_kd.config import ConfigError, TrainingConfig
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import fit
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import Plan

logger = logging.getLogger(__name__)

LONG = datetime.timedelta(days=365)
"""For which ranks wait for the next training; whoever has started them ends them where the first one fails."""


@dataclass(frozen=True)
class Job:
    """A training: what ``fit`` takes. unused: whether a batch may leave a parameter without gradient."""

    module: DistillationModule
    data: TrainingData
    plan: Plan
    unused: bool

    def run(self) -> list[dict[str, float]]:
        """``fit``, as one of the ranks; every one of them is to call it.

        Returns:
            The history.
        """
        fabric = make_fabric(self.plan.config, self.unused)
        fabric.launch()
        return fit(self.module, self.data, self.plan, fabric)


class _Waiting:
    """The ranks that wait. group: by which they are told what to do; None where nobody waits."""

    group: Any = None
    busy = False


def join(config: TrainingConfig) -> bool:
    """To be called once by every rank that torchrun or srun has started, before anything is written.

    Args:
        config: of the command's trainings; ``compute`` says how many ranks there are to be.

    Returns:
        False for the first rank, which goes on with the run and calls ``dismiss`` at its end; and where there is no
        such launcher, or one device is asked for. True for the others, after that end: they have nothing left to do.

    Raises:
        ConfigError: other ranks were started than ``compute`` asks for.
    """
    if (found := launcher()) is None or not shared(config.compute):
        return False
    name, ranks = found
    if ranks != (wanted := config.compute.count * config.compute.num_nodes):
        raise ConfigError(
            f"{name} has started {ranks} processes, but compute.devices {config.compute.devices} on compute.num_nodes "
            f"{config.compute.num_nodes} are {wanted}: start as many, one for each device"
        )
    fabric = make_fabric(config)
    fabric.launch()
    _Waiting.group = torch.distributed.new_group(backend="gloo", timeout=LONG)
    if fabric.is_global_zero:
        logger.info("%s has started %d processes, which share every training", name, ranks)
        return False
    while (job := _told(None)) is not None:
        job.run()
    return True


def share(job: Job) -> list[dict[str, float]]:
    """A training, by all ranks: those that wait are told, those that do not are to call it too.

    Args:
        job: the training; where others wait, what its ``dev`` and ``augment`` hold is sent to them.

    Returns:
        The history.
    """
    if _Waiting.group is None:
        return job.run()
    _Waiting.busy = True
    _told(replace(job, plan=replace(job.plan, on_epoch=None)))
    history = job.run()
    _Waiting.busy = False
    return history


def dismiss() -> None:
    """Let the ranks go that wait; called by the first, at the end of the run.

    Where it has failed within a training, they do not listen: whoever has started the ranks ends them.
    """
    if _Waiting.group is not None and not _Waiting.busy:
        _told(None)
        _Waiting.group = None


def _told(job: Job | None) -> Job | None:
    """What the first rank says to all."""
    said = [job]
    torch.distributed.broadcast_object_list(said, src=0, group=_Waiting.group)
    return said[0]
