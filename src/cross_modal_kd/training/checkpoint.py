"""State on disk in safetensors files: tensors as they are, everything else as JSON. Nothing is pickled."""

import glob
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from cross_modal_kd.storage import replacing, require_readable, with_space

_TENSOR = "__tensor__"
_KEY = re.compile(r"-[0-9a-f]{16}$")


class Checkpoint:
    """Where a training goes on from.

    ``path`` is written after every epoch, and beside it the best weights so far, in
    ``<name>.best-<epoch>.safetensors``, only when they change. ``path`` is the later of the two to be replaced and
    names the epoch of the weights that belong to it, so a process may be killed at any moment: they are there.

    Args:
        path: ``<name>.safetensors``, which need not be there yet; its folder is made on the first ``save``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = 0  # the epoch whose best weights this object has written or read

    def exists(self) -> bool:
        return self.path.exists()

    def others(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Interrupted trainings of the same name that are none of this one's run key.

        Yields:
            The file of each, and what its state has beside tensors; one that is damaged is passed over.
        """
        if (key := _KEY.search(self.path.stem)) is None:
            return
        name = self.path.stem[: key.start()]
        for file in sorted(self.path.parent.glob(f"{glob.escape(name)}-*.safetensors")):
            if file != self.path and _KEY.fullmatch(file.stem.removeprefix(name)):
                with suppress(ValueError):
                    yield file, load_plain(file)

    def save(self, state: dict[str, Any], best: dict[str, Tensor] | None, best_epoch: int) -> None:
        """Write ``state``, and ``best`` where they have changed.

        Args:
            state: nested dicts and lists of tensors and plain values.
            best: the best weights; None where the dev split was not looked at yet.
            best_epoch: when they were reached; 0 for None.
        """
        if best is not None and best_epoch != self._kept:
            save_state(self._best(best_epoch), best)
            self._kept = best_epoch
        save_state(self.path, state)
        self._remove_best(but=best_epoch)

    def load(self) -> dict[str, Any]:
        """What ``save`` was given as ``state``, on the CPU.

        Raises:
            ValueError: it is damaged.
        """
        return load_state(self.path)

    def load_best(self, epoch: int) -> dict[str, Tensor] | None:
        """The best weights of the state that ``load`` gives.

        Args:
            epoch: in which they were reached, counted from 1; 0 where the dev split was not looked at yet.

        Returns:
            Tensors on the CPU by name; None for epoch 0.

        Raises:
            ValueError: they cannot be read.
        """
        if not epoch:
            return None
        try:
            best = load_state(self._best(epoch))
        except ValueError as error:
            raise ValueError(f"{self.path}: the best weights so far cannot be read; delete it too: {error}") from error
        self._kept = epoch
        return best

    def remove(self) -> None:
        """Leave nothing of it. The state goes first: weights without it are started afresh, not met by it."""
        self.path.unlink(missing_ok=True)
        self._remove_best()

    def _best(self, epoch: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.best-{epoch}.safetensors")

    def _remove_best(self, but: int = 0) -> None:
        kept = self._best(but)
        for file in self.path.parent.glob(f"{glob.escape(self.path.stem)}.best-*.safetensors"):
            if file != kept:
                file.unlink(missing_ok=True)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write nested dicts and lists of tensors and plain values, atomically: a killed write leaves the older file.

    Args:
        path: the file to write; its folder is made where it is missing.
        state: its dicts may have str or int keys (as optimizers have them); tensors may lie on any device, and what is
            neither tensor, dict nor sequence must be plain JSON. A tuple comes back as a list.
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
    with with_space(path), replacing(path) as new:
        save_file(tensors, new, metadata={"tree": tree, "sha256": _digest(tree, tensors)})


def load_state(path: Path) -> dict[str, Any]:
    """What ``save_state`` wrote.

    Args:
        path: the file.

    Returns:
        The state, its tensors on the CPU.

    Raises:
        ValueError: the file is missing, damaged, or not such a state.
    """
    require_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            tree = json.loads(metadata["tree"])
            if metadata.get("sha256", noted := _digest(metadata["tree"], tensors)) != noted:
                raise ValueError("it is not the one that was written, SHA-256")
        return _rich(tree, tensors)
    except (KeyError, ValueError, TypeError, AttributeError, OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a checkpoint of this project ({error}); delete it to start afresh") from error
    except Exception as error:  # safetensors raises its own SafetensorError, which derives from Exception alone
        raise ValueError(f"{path} is damaged ({error}); delete it to start afresh") from error


def load_plain(path: Path) -> dict[str, Any]:
    """What a state of ``save_state`` has at its top beside tensors, which are not read.

    Args:
        path: the file.

    Returns:
        The entries that hold no tensor, by name.

    Raises:
        ValueError: the file is missing, damaged, or not such a state.
    """
    found = {}
    require_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            entries = json.loads((file.metadata() or {})["tree"])["__dict__"]
        for name, value in entries:
            with suppress(KeyError):
                found[name] = _rich(value, {})
    except Exception as error:  # as of ``load_state``
        raise ValueError(f"{path} is not a checkpoint of this project ({error}); delete it to start afresh") from error
    return found


def _rich(value: Any, tensors: dict[str, Tensor]) -> Any:
    """What a tree of JSON stands for. Raises KeyError, TypeError or ValueError where it is none of ``save_state``."""
    if isinstance(value, list):
        return [_rich(item, tensors) for item in value]
    if isinstance(value, dict):
        if _TENSOR in value:
            return tensors[value[_TENSOR]]
        return {key: _rich(item, tensors) for key, item in value["__dict__"]}
    return value


def seconds_so_far(path: Path) -> float:
    """What the epochs of an interrupted training have taken.

    Args:
        path: of its checkpoint.

    Returns:
        Seconds; 0 where there is no checkpoint, or a damaged one, which is not gone on from either.
    """
    if not path.exists():
        return 0.0
    try:
        return sum(float(row.get("seconds", 0.0)) for row in load_state(path)["progress"]["history"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0.0


def _digest(tree: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of a state."""
    digest = hashlib.sha256(tree.encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def to_device(value: Any, device: torch.device) -> Any:
    """Nested state with every tensor on ``device``.

    Args:
        value: dicts and lists of tensors and plain values.
        device: where the tensors are to be.

    Returns:
        A copy of the dicts and lists; tensors that lie there already, and plain values, are the same objects.
    """
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: to_device(item, device) for key, item in value.items()}
    return [to_device(item, device) for item in value] if isinstance(value, list) else value
