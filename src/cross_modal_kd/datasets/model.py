"""A model in the catalog."""

from pathlib import Path
from typing import Any

from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.models import ModelBundle


class ModelDataset(FolderDataset[ModelBundle]):
    """Saves a ``ModelBundle``; loads one whose tensors are torch tensors on the CPU.

    Args:
        filepath: of the model's folder; in the catalog a relative one starts at the project's.
        made_by: the pipeline that writes it, for messages.
        kinds: of model that the entry may hold; any where it is not given.
        metadata: anything, for plugins; Kedro passes over it.

    Example, in the catalog::

        teacher_model:
          type: cross_modal_kd.datasets.ModelDataset
          filepath: data/06_models/teacher
          made_by: teacher
          kinds: [student, pretrained]
    """

    def __init__(
        self,
        *,
        filepath: str,
        made_by: str | None = None,
        kinds: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, made_by=made_by, metadata=metadata)
        self._kinds = kinds

    def _read(self, folder: Path) -> ModelBundle:
        from cross_modal_kd.models import load_bundle

        return load_bundle(folder, self._kinds)

    def _write(self, folder: Path, data: ModelBundle) -> None:
        from cross_modal_kd.models import save_bundle

        save_bundle(folder, data)

    def preview(self) -> str:
        """The configuration, as the JSON that is stored, for kedro-viz.

        Raises:
            FileNotFoundError: there is no model in the folder.
        """
        from cross_modal_kd.models import CONFIG
        from cross_modal_kd.storage import file_in

        return file_in(self._filepath, CONFIG).read_text(encoding="utf-8")
