"""A model on disk: ``config.json`` beside ``model.safetensors``. Nothing is unpickled."""

import json
from typing import Any

from kedro.io import DatasetError

from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.models.bundle import ModelBundle

CONFIG, TENSORS = "config.json", "model.safetensors"


class ModelDataset(FolderDataset[ModelBundle]):
    """Saves a ``ModelBundle``; loads one whose tensors are torch tensors on the CPU.

    Example, in the catalog::

        teacher_model:
          type: cross_modal_kd.datasets.ModelDataset
          filepath: data/06_models/teacher
          made_by: teacher
    """

    def load(self) -> ModelBundle:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        content = self._read_json(CONFIG, {"kind", "config"})
        file = self._file(TENSORS)
        try:
            tensors = load_file(file)
        except SafetensorError as error:
            raise DatasetError(f"{file} is not a safetensors file: {error}. Make it again") from error
        return ModelBundle(content["kind"], content["config"], tensors)

    def save(self, data: ModelBundle) -> None:
        if not isinstance(data, ModelBundle):
            raise DatasetError(f"{self._filepath} takes a ModelBundle, found {type(data).__name__}")
        from safetensors.torch import save_file

        try:
            config = json.dumps({"kind": data.kind, "config": data.config}, indent=2, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DatasetError(f"the config of {self._filepath} must be plain JSON values: {error}") from error
        with self._replaced() as folder:
            (folder / CONFIG).write_text(config + "\n", encoding="utf-8")
            save_file({name: _at_rest(tensor) for name, tensor in data.tensors.items()}, folder / TENSORS)

    def preview(self) -> str:
        """The configuration, for kedro-viz."""
        return self._file(CONFIG).read_text(encoding="utf-8")


def _at_rest(tensor: Any) -> Any:
    """A contiguous CPU tensor of its own memory, which is what safetensors stores."""
    import torch

    return torch.as_tensor(tensor).detach().cpu().contiguous().clone()
