"""Where the work is done: the device, how many of them, on how many machines; in this process or by a Ray cluster."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.config.strict import Strict, first_errors

MOVED = ("accelerator", "precision")
"""Keys of ``training`` before there was this block; run keys have them under ``training`` still."""


class ComputeConfig(Strict):
    """One device by default. On several a training is one process (a rank) for each device, which share every batch.

    This process does everything by default; a Ray cluster can do what is cut into parts, which changes no result.

    Attributes:
        accelerator: ``auto`` takes a GPU where there is one.
        devices: of each machine, for one training; ``all`` takes every GPU there is, and one CPU where there is none.
            On a CPU each is a process.
        num_nodes: machines, each of which runs the same command (docs/scale.md).
        strategy: ``auto`` is one process on one device and ``ddp`` on several; ``ddp`` also on one.
        precision: as Fabric names it; ``auto`` is bf16-mixed where the GPU does it in hardware, 32-true elsewhere.
        sync_batchnorm: on CUDA, whether batch norms take mean and variance over all ranks; else each over its own part
            of the batch, and those of the first rank are kept.
        engine: ``ray`` hands inspection, quality, the teacher's embeddings and every training of a study to the tasks
            of a Ray cluster; ``local`` does all of it here.
        address: of the cluster: ``auto`` is the one that this machine belongs to, else ``host:port`` or
            ``ray://host:port``; null starts a Ray of this machine's cores, which ends with the run.
        task_cpus: cores that each task asks for; it may start where so many are free.
        task_gpus: GPUs that a training and a part of the embeddings ask for; a share puts several on one.
        retries: how often a task is done again whose worker or machine has died; an error is none of these.
    """

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: int | Literal["all"] = 1
    num_nodes: int = Field(1, ge=1)
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "auto"] = "auto"
    sync_batchnorm: bool = False
    engine: Literal["local", "ray"] = "local"
    address: str | None = Field("auto", pattern=r"^(auto|(ray://)?[^/\s]+:\d+)$")
    task_cpus: float = Field(1.0, gt=0)
    task_gpus: float = Field(0.0, ge=0)
    retries: int = Field(2, ge=0)

    @field_validator("engine")
    @classmethod
    def _ray_is_there(cls, engine: str) -> str:
        if engine == "ray" and find_spec("ray") is None:
            raise ValueError("ray needs the package Ray, which is not installed: pip install '.[cluster]'")
        return engine

    @model_validator(mode="after")
    def _goes_together(self) -> "ComputeConfig":
        if self.devices != "all" and self.devices < 1:
            raise ValueError(f"devices: expected a number from 1 on, or all; found {self.devices}")
        several = self.devices != 1 or self.num_nodes > 1
        if several and self.accelerator == "mps":
            raise ValueError("accelerator: mps is one device; set compute.devices and compute.num_nodes to 1")
        if self.sync_batchnorm and self.accelerator not in ("auto", "cuda"):
            raise ValueError(
                f"sync_batchnorm: torch has it for CUDA alone, found compute.accelerator {self.accelerator!r}; set it "
                "to false"
            )
        return self

    @property
    def count(self) -> int:
        """Devices of this machine for one training: of ``all`` its GPUs, 1 where there is none or none is wanted."""
        if self.devices != "all":
            return self.devices
        import torch

        return max(1, torch.cuda.device_count()) if self.accelerator in ("auto", "cuda") else 1

    @property
    def decides(self) -> dict[str, Any]:
        """What of this block can change a result: ``all`` is a number, later keys at their defaults are left out."""
        later = {"devices": 1, "num_nodes": 1, "sync_batchnorm": False}
        found = {name: getattr(self, name) for name in later} | {"devices": self.count}
        kept = {name: value for name, value in found.items() if value != later[name]}
        return {name: getattr(self, name) for name in MOVED} | kept


def with_compute(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in which every training says where it runs: as the block ``compute`` does, unless it says it itself.

    Args:
        parameters: blocks by name, not yet checked.

    Returns:
        A copy with ``training.compute`` and ``teacher.training.compute``; without a block ``compute`` the same blocks.

    Raises:
        ConfigError: The block ``compute`` is not one.
    """
    found = dict(parameters)
    block = found.get("compute")
    if block is None:
        return found
    try:
        ComputeConfig.model_validate(block)
    except ValidationError as error:
        raise ConfigError(f"compute: {first_errors(error)}") from error
    if isinstance(teacher := found.get("teacher"), Mapping):
        found["teacher"] = _runs_there(teacher, block)
    return _runs_there(found, block)


def _runs_there(parent: Mapping[str, Any], compute: Mapping[str, Any]) -> dict[str, Any]:
    training = parent.get("training")
    if not isinstance(training, Mapping):
        return dict(parent)
    own = training.get("compute")
    if own is not None and not isinstance(own, Mapping):  # is said to be none where the training is checked
        return dict(parent)
    return {**parent, "training": {**training, "compute": {**compute, **(own or {})}}}
