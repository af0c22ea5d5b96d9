"""A few files in one folder, read with errors that name them and replaced as a whole, whoever is killed meanwhile."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4


def file_in(folder: Path, name: str) -> Path:
    """The file of that name in the folder, which must be there.

    Args:
        folder: that holds it.
        name: relative to the folder.

    Returns:
        Its path.

    Raises:
        FileNotFoundError: there is no such file; the message names it.
    """
    file = folder / name
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing")
    return file


def read_json(folder: Path, name: str, keys: set[str]) -> dict[str, Any]:
    """A JSON object that has at least ``keys``.

    Args:
        folder: that holds the file.
        name: of the file, relative to the folder.
        keys: that the object must have, at its top.

    Returns:
        The object, with all its keys.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is not JSON, or not such an object.
    """
    file = file_in(folder, name)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}. Remove its folder and make it again") from error
    if not isinstance(content, dict) or not keys <= content.keys():
        raise ValueError(f"{file} must be an object with the keys {sorted(keys)}, found {str(content)[:80]}")
    return content


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder to write into, put in the place of ``folder`` at the end; a failure leaves the old one.

    Args:
        folder: to be replaced, or made where there is none; folders above it are made too.

    Yields:
        The new folder: empty, beside ``folder`` under a hidden name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = (folder.with_name(f".{folder.name}.{uuid4().hex}.{what}") for what in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.replace(folder)
        raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
