"""A model on disk: ``config.json`` beside ``model.safetensors``. Nothing is unpickled, and nothing else is read."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.errors import MissingModelError, ModelError
from cross_modal_kd.models.records import check_record
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


def load_bundle(folder: Path, kinds: Collection[str] | None = None) -> ModelBundle:
    """What ``save_bundle`` wrote, its tensors on the CPU.

    Args:
        folder: of the model.
        kinds: of model that are wanted; None for any.

    Returns:
        The bundle, whose config is one of its kind.

    Raises:
        MissingModelError: one of the two files is missing.
        ModelError: one of them is damaged, or they hold another kind of model.
    """
    folder = Path(folder)
    try:
        content = read_json(folder, CONFIG, {"kind", "config"})
        file = file_in(folder, TENSORS)
    except FileNotFoundError as error:
        raise MissingModelError(str(error)) from error
    except ValueError as error:
        raise ModelError(str(error)) from error
    check_record(content["kind"], content["config"], str(folder / CONFIG), kinds)
    bundle = ModelBundle(content["kind"], content["config"], _read_tensors(file), folder)
    try:
        verify(folder)
    except ValueError as error:
        raise ModelError(str(error)) from error
    _check_tensors(bundle)
    return bundle


def _check_tensors(bundle: ModelBundle) -> None:
    """As far as it can be seen without the encoder's library, which is asked when the model is built."""
    from cross_modal_kd.models.projection import check_projection
    from cross_modal_kd.models.student import check_student

    if check := {"projection": check_projection, "student": check_student}.get(bundle.kind):
        check(bundle)


def _read_tensors(file: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except MemoryError:
        raise
    except Exception as error:  # safetensors' own error derives from Exception alone; torch's for a dtype is another
        raise ModelError(f"{file} is not a safetensors file: {error}. Make it again") from error


def _at_rest(tensor: Any) -> Any:
    """A contiguous CPU tensor of its own memory, which is what safetensors stores."""
    import torch

    return torch.as_tensor(tensor).detach().cpu().contiguous().clone()
