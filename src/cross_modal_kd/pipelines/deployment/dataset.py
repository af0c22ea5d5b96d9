"""A packaged student in the catalog."""

from pathlib import Path
from typing import TYPE_CHECKING

from cross_modal_kd.datasets import FolderDataset

if TYPE_CHECKING:
    from cross_modal_kd.student import PackagedStudent


class PackagedStudentDataset(FolderDataset["PackagedStudent"]):
    """Saves and loads a ``PackagedStudent``, the folder that ``StudentModel.load`` reads."""

    def _read(self, folder: Path) -> "PackagedStudent":
        from cross_modal_kd.student import load_package

        return load_package(folder)

    def _write(self, folder: Path, data: "PackagedStudent") -> None:
        from cross_modal_kd.student import save_package

        save_package(folder, data)

    def preview(self) -> str:
        """``student.json``, for kedro-viz.

        Raises:
            FileNotFoundError: there is no packaged student in the folder.
        """
        from cross_modal_kd.storage import file_in

        return file_in(self._filepath, "student.json").read_text(encoding="utf-8")
