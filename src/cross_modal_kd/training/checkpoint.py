"""State on disk in one safetensors file: tensors as they are, everything else as JSON. Nothing is pickled."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

_TENSOR = "__tensor__"


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write nested dicts and lists of tensors and plain values, atomically: a killed write leaves the older file.

    Keys of dicts may be str or int (as optimizers have them).
    """
    tensors: dict[str, Tensor] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, Tensor):
            name = str(len(tensors))
            tensors[name] = value.detach().cpu().contiguous().clone()
            return {_TENSOR: name}
        if isinstance(value, dict):
            return {"__dict__": [[key, plain(item)] for key, item in value.items()]}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value

    tree = json.dumps(plain(state))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    save_file(tensors, temporary, metadata={"tree": tree})
    temporary.replace(path)


def load_state(path: Path) -> dict[str, Any]:
    """What ``save_state`` wrote, on the CPU.

    Raises:
        ValueError: the file is not such a state.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tree = json.loads((file.metadata() or {})["tree"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (KeyError, ValueError, OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a checkpoint of this project ({error}); delete it to start afresh") from error
    except Exception as error:  # safetensors raises its own SafetensorError, which derives from Exception alone
        raise ValueError(f"{path} is damaged ({error}); delete it to start afresh") from error

    def rich(value: Any) -> Any:
        if isinstance(value, list):
            return [rich(item) for item in value]
        if isinstance(value, dict):
            if _TENSOR in value:
                return tensors[value[_TENSOR]]
            return {key: rich(item) for key, item in value["__dict__"]}
        return value

    return rich(tree)


def to_device(value: Any, device: torch.device) -> Any:
    """Nested state with every tensor on ``device``."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: to_device(item, device) for key, item in value.items()}
    return [to_device(item, device) for item in value] if isinstance(value, list) else value
