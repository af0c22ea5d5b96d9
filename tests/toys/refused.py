"""Files that the system does not give, also to a user who may read everything."""

import errno
from pathlib import Path

import pytest


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Every file below the folder cannot be opened any more."""
    opened = Path.open

    def denied(file: Path, *args: object, **kwargs: object) -> object:
        if file.is_relative_to(folder) and file.is_file():
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return opened(file, *args, **kwargs)

    monkeypatch.setattr(Path, "open", denied)
