"""What is used of Fabric, which comes by itself or with all of Lightning, whose loop takes four seconds to import.

Importing this takes seconds; nothing of this room does so before a Fabric is asked for.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from cross_modal_kd.compute.versions import version_alone

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment, TorchElasticEnvironment
    from lightning_fabric.strategies import DDPStrategy
else:
    NAME = "lightning_fabric" if find_spec("lightning_fabric") is not None else "lightning.fabric"
    with version_alone("torchmetrics"):
        Fabric = import_module(NAME).Fabric
        DDPStrategy = import_module(f"{NAME}.strategies").DDPStrategy
        environments = import_module(f"{NAME}.plugins.environments")
    LightningEnvironment = environments.LightningEnvironment
    SLURMEnvironment, TorchElasticEnvironment = environments.SLURMEnvironment, environments.TorchElasticEnvironment
    if not torch.cuda.is_available():
        # Fabric has torch look for GPUs by NVML: where there are none, every step of an optimiser opens that library
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)

__all__ = ["DDPStrategy", "Fabric", "LightningEnvironment", "SLURMEnvironment", "TorchElasticEnvironment"]
