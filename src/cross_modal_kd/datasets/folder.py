"""What the datasets of this package share: a local folder that is read and replaced as a whole."""

from pathlib import Path
from typing import Any, Generic, TypeVar

from kedro.io import AbstractDataset, DatasetError

T = TypeVar("T")


class FolderDataset(AbstractDataset[T, T], Generic[T]):
    """A dataset of a few files in one folder.

    Subclasses give ``_read`` and ``_write``, functions of the room whose format it is.

    Args:
        filepath: of the folder; in the catalog a relative one starts at the project's.
        made_by: the pipeline that writes it, for messages.
        metadata: anything, for plugins; Kedro passes over it.
    """

    def __init__(self, *, filepath: str, made_by: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._made_by = made_by
        self.metadata = metadata

    def load(self) -> T:
        """What the folder holds.

        Raises:
            DatasetError: one of its files is missing or damaged; the message names the pipeline that makes it.
        """
        try:
            return self._read(self._filepath)
        except (FileNotFoundError, ValueError) as error:
            how = (
                f"; `kedro run --pipelines={self._made_by}` (with the same --env and --params) makes it"
                if self._made_by
                else ""
            )
            raise DatasetError(f"{error}{how}") from error

    def save(self, data: T) -> None:
        """Replace the folder as a whole.

        Args:
            data: of the kind that the subclass writes.
        """
        self._write(self._filepath, data)

    def _read(self, folder: Path) -> T:
        raise NotImplementedError

    def _write(self, folder: Path, data: T) -> None:
        raise NotImplementedError

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath.as_posix()}

    def _exists(self) -> bool:
        return self._filepath.is_dir()
