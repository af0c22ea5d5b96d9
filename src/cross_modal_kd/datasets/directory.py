"""A folder that a node works in by itself: a cache, checkpoints, one result a file."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class DirectoryDataset(AbstractDataset[NoReturn, Path]):
    """Loads the ``Path`` of a folder, which is made where it is missing. A node takes it as input and may write there.

    It has no ``save``: a node that returned the path would say that the folder's content is its output, which
    Kedro could neither check nor resume from.

    Args:
        filepath: of the folder; in the catalog a relative one starts at the project's.
        read_only: nodes only read there, so that a run needs no lock for it.
        metadata: anything, for plugins; Kedro passes over it.
    """

    def __init__(self, *, filepath: str, read_only: bool = False, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.read_only = read_only
        self.metadata = metadata

    def load(self) -> Path:
        """The folder, which exists now.

        Raises:
            DatasetError: there is a file of that name, or the folder cannot be made.
        """
        if self._filepath.exists() and not self._filepath.is_dir():
            raise DatasetError(f"{self._filepath} must be a folder, found a file: move it away")
        try:
            self._filepath.mkdir(parents=True, exist_ok=True)
        except (NotADirectoryError, FileExistsError):
            raise  # cli/errors.py names the file that lies in the way
        except OSError as error:
            raise DatasetError(
                f"the folder {self._filepath} cannot be made ({error.strerror}): a run needs one of its own user with "
                "space in it; `--params=data_root=/another/folder` writes elsewhere"
            ) from error
        return self._filepath

    def save(self, data: NoReturn) -> None:  # noqa: ARG002 (the argument that Kedro gives)
        """Refused: a node only reads the dataset.

        Args:
            data: whatever a node returned.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._filepath} is a folder for nodes to work in: make it a node's input, not its output")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath.as_posix()}

    def _exists(self) -> bool:
        return self._filepath.is_dir()
