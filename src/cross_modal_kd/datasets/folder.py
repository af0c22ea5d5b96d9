"""What the datasets of this package share: a local folder that is read and replaced as a whole."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

from kedro.io import AbstractDataset, DatasetError

T = TypeVar("T")


class FolderDataset(AbstractDataset[T, T], Generic[T]):
    """A dataset of a few files in one folder. ``made_by`` names the pipeline that writes it, for messages."""

    def __init__(self, *, filepath: str, made_by: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._made_by = made_by
        self.metadata = metadata

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath.as_posix()}

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _file(self, name: str) -> Path:
        """The file of that name, or a DatasetError that says how it comes about."""
        file = self._filepath / name
        if not file.is_file():
            how = f"; `kedro run --pipeline={self._made_by}` makes it" if self._made_by else ""
            raise DatasetError(f"{file} is missing{how}")
        return file

    def _read_json(self, name: str, keys: set[str]) -> dict[str, Any]:
        """A JSON object that has ``keys``."""
        file = self._file(name)
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetError(f"{file} is not JSON: {error}. Remove its folder and make it again") from error
        if not isinstance(content, dict) or not keys <= content.keys():
            raise DatasetError(f"{file} must be an object with the keys {sorted(keys)}, found {str(content)[:80]}")
        return content

    @contextmanager
    def _replaced(self) -> Iterator[Path]:
        """A new folder to write into, put in the place of the old one at the end; a failure leaves the old one."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        new, old = (self._filepath.with_name(f".{self._filepath.name}.{uuid4().hex}.{what}") for what in ("new", "old"))
        new.mkdir()
        try:
            yield new
            if self._filepath.exists():
                self._filepath.replace(old)
            new.replace(self._filepath)
        except BaseException:
            if old.exists() and not self._filepath.exists():
                old.replace(self._filepath)
            raise
        finally:
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
