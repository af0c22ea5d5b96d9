"""What the two programs for GPUs share: students, arms and training data of random numbers, no files and no Kedro."""

import importlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from torch import Tensor

from cross_modal_kd.config import ArmConfig, EncoderConfig, InputConfig, ProjectionConfig, TaskConfig
from cross_modal_kd.modalities import Inputs
from cross_modal_kd.models import ModelBundle, Projection, projection_bundle
from cross_modal_kd.training import ArmData
from cross_modal_kd.training.data import TeacherSide

CONF = Path(__file__).parents[1] / "conf" / "base"
TEACHER_DIM = 384
PACKAGES = (
    "lightning_fabric",
    "torchaudio",
    "torchvision",
    "timm",
    "speechbrain",
    "pytorch_metric_learning",
    "pydantic",
    "pandas",
)


class Values(Inputs):
    """Inputs in memory: (N, ...) of any type."""

    def __init__(self, values: Tensor) -> None:
        self.sample_ids, self._values = [str(number) for number in range(len(values))], values

    def __getitems__(self, items) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
        """(indices, inputs) of the items."""
        rows = torch.tensor([item.row for item in items])
        return rows, self._values[rows]


def arm_of(name: str) -> ArmConfig:
    """An arm of conf/base, with its tuned weights."""
    arms: dict[str, Any] = {}
    for file in (CONF / "parameters_arms.yml", CONF / "studies" / "parameters_arms.yml"):
        arms |= yaml.safe_load(file.read_text(encoding="utf-8"))["arms"]
    return ArmConfig(**arms[name])


def classes_of(inputs: Tensor, count: int, per_class: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Labels (N,), and the inputs moved towards something that their class has in common, so that there is a task."""
    labels = torch.arange(len(inputs)) // per_class % count
    common = torch.randn(count, *inputs.shape[1:], generator=generator)
    return labels, inputs + 0.5 * common[labels]


def random_inputs(
    modality: str, number: int, config: InputConfig, classes: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Labels (N,), and waves (N, T) in [-1, 1] or pictures (N, C, H, W) of bytes."""
    generator = torch.Generator().manual_seed(seed)
    if modality == "speech":
        speech = config.speech  # type: ignore[attr-defined]
        shape: tuple[int, ...] = (int(speech.crop_s * speech.sample_rate),)
    else:
        image = config.image  # type: ignore[attr-defined]
        shape = (image.channels, image.size, image.size)
    labels, values = classes_of(torch.randn(number, *shape, generator=generator), classes, 2, generator)
    if modality == "speech":
        return labels, (0.1 * values).clamp(-1, 1)
    return labels, (128 + 50 * values).clamp(0, 255).to(torch.uint8)


def arm_data(modality: str, number: int, classes: int, inputs: InputConfig, dev: int = 64) -> ArmData:
    """Training and dev split of random inputs, each with two teacher embeddings of its own."""
    rng = np.random.default_rng(0)
    labels, values = random_inputs(modality, number, inputs, classes)
    dev_labels, dev_values = random_inputs(modality, dev, inputs, classes)
    side = TeacherSide.from_candidates(
        rng.normal(size=(2 * number, TEACHER_DIM)), [np.array([2 * row, 2 * row + 1]) for row in range(number)]
    )
    names = [f"class {number:05d}" for number in range(classes)]
    quality = pd.DataFrame({f"quality_{side}": rng.uniform(0, 1, number) for side in ("student", "teacher")})
    return ArmData(
        task=TaskConfig(name="random", kind="verification", student=modality, teacher="text"),
        inputs=inputs,
        classes=names,
        train=pd.DataFrame({"label": [names[label] for label in labels]}),
        train_inputs=Values(values),
        dev_inputs=Values(dev_values),
        dev_labels=pd.Series([names[label] for label in dev_labels]),
        teacher=side,
        quality=quality,
        fingerprint="random",
        known=labels.numpy(),
    )


def random_projection(dim: int, classes: int, kind: str = "mlp") -> ModelBundle:
    """A projection that was fitted to nothing."""
    torch.manual_seed(7)
    projection = Projection(TEACHER_DIM, classes, ProjectionConfig(kind=kind, dim=dim))
    return projection_bundle(projection, TEACHER_DIM, [f"class {number:05d}" for number in range(classes)])


def encoder_of(library: str, name: str, **options: Any) -> EncoderConfig:
    """An encoder by the names of its library."""
    return EncoderConfig(library=library, name=name, options=options)


def machine(device: torch.device) -> dict[str, str]:
    """The device and the versions, for a reader of the numbers."""
    found = {"device": platform.processor() or platform.machine(), "python": platform.python_version()}
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        found |= {"device": f"{about.name}, {about.total_memory / 2**30:.0f} GiB", "cuda": str(torch.version.cuda)}
        found["cudnn"] = str(torch.backends.cudnn.version())
        allowed = os.environ.get("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "not set")
        found["products of float32"] = (
            f"{torch.backends.cuda.matmul.fp32_precision} (TORCH_ALLOW_TF32_CUBLAS_OVERRIDE {allowed})"
        )
    found["torch"] = torch.__version__
    for package in PACKAGES:
        try:
            found[package] = getattr(importlib.import_module(package), "__version__", "there")
        except Exception as error:
            found[package] = f"missing ({type(error).__name__}: {str(error)[:80]})"
    return found | {"command": " ".join(["python", *sys.argv])}


def synchronise(device: torch.device) -> None:
    """Wait for what was sent to the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
