"""A model at rest: what it is, how it is built, and its tensors."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ModelBundle:
    """What is saved of a model, and all that is needed to build it again: no code, nothing pickled.

    kind: what it is (``student``, ``teacher``, ``projection`` ...). config: plain JSON values, the arguments it is
    built from. tensors: its state by name, torch tensors or numpy arrays; empty for a model that a package brings.
    folder: where it was read from, for messages; None of one that was just made.
    """

    kind: str
    config: dict[str, Any]
    tensors: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.kind or not isinstance(self.kind, str):
            raise ValueError(f"ModelBundle.kind must name what the model is, found {self.kind!r}")
        unnamed = [name for name in self.tensors if not isinstance(name, str)]
        if unnamed:
            raise ValueError(f"ModelBundle.tensors must have names for keys, found {unnamed[:3]!r}")
        for name, tensor in self.tensors.items():
            if not hasattr(tensor, "shape") or not hasattr(tensor, "dtype"):
                raise ValueError(
                    f"ModelBundle.tensors[{name!r}] must be a tensor or an array, found {type(tensor).__name__}; "
                    "plain values belong in config"
                )

    @property
    def where(self) -> str:
        """The folder that it was read from, or what it is."""
        return str(self.folder) if self.folder is not None else f"the {self.kind} model in memory"


def weights_of(model: ModelBundle) -> str:
    """SHA-256 of a model's configuration and tensors.

    Args:
        model: of any kind.

    Returns:
        64 hexadecimal digits.
    """
    import numpy as np

    digest = hashlib.sha256(json.dumps([model.kind, model.config], sort_keys=True).encode())
    for name in sorted(model.tensors):
        array = np.ascontiguousarray(np.asarray(model.tensors[name]))
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
