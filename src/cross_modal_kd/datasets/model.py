"""A model in the catalog."""

from pathlib import Path

from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.models import ModelBundle


class ModelDataset(FolderDataset[ModelBundle]):
    """Saves a ``ModelBundle``; loads one whose tensors are torch tensors on the CPU.

    Example, in the catalog::

        teacher_model:
          type: cross_modal_kd.datasets.ModelDataset
          filepath: data/06_models/teacher
          made_by: teacher
    """

    def _read(self, folder: Path) -> ModelBundle:
        from cross_modal_kd.models import load_bundle

        return load_bundle(folder)

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
