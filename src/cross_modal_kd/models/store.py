"""A model on disk: ``config.json`` beside ``model.safetensors``. Nothing is unpickled."""

import json
from pathlib import Path
from typing import Any

from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.storage import file_in, read_json, replaced, verify

CONFIG, TENSORS = "config.json", "model.safetensors"


def save_bundle(folder: Path, bundle: ModelBundle) -> None:
    """Write a model in the place of what ``folder`` holds; a failure leaves that as it is.

    Args:
        folder: of this model alone; made where it is missing.
        bundle: whose config are plain JSON values.

    Raises:
        TypeError: it is no ModelBundle.
        ValueError: its config are not plain JSON values.
    """
    from safetensors.torch import save_file

    if not isinstance(bundle, ModelBundle):
        raise TypeError(f"{folder} takes a ModelBundle, found {type(bundle).__name__}")
    try:
        config = json.dumps({"kind": bundle.kind, "config": bundle.config}, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the config of {folder} must be plain JSON values: {error}") from error
    with replaced(folder) as new:
        (new / CONFIG).write_text(config + "\n", encoding="utf-8")
        save_file({name: _at_rest(tensor) for name, tensor in bundle.tensors.items()}, new / TENSORS)


def load_bundle(folder: Path) -> ModelBundle:
    """What ``save_bundle`` wrote.

    Args:
        folder: of that model.

    Returns:
        The model, its tensors on the CPU.

    Raises:
        FileNotFoundError: one of the two files is missing.
        ValueError: one of them is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    content = read_json(folder, CONFIG, {"kind", "config"})
    file = file_in(folder, TENSORS)
    try:
        tensors = load_file(file)
    except SafetensorError as error:
        raise ValueError(f"{file} is not a safetensors file: {error}. Make it again") from error
    verify(folder)
    return ModelBundle(content["kind"], content["config"], tensors)


def _at_rest(tensor: Any) -> Any:
    """A contiguous CPU tensor of its own memory, which is what safetensors stores."""
    import torch

    return torch.as_tensor(tensor).detach().cpu().contiguous().clone()
