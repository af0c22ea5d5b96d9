"""A few files in one folder, read with errors that name them and replaced as a whole, whoever is killed meanwhile."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

SUMS = "checksums.json"
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # as libraries written in Rust say it
# `.<name>.<32 digits>.new` of `replaced`, `.<name>.<process>.<8 digits>.new` of `write_whole`, `<name>.<process>.tmp`
LEFTOVER = re.compile(r"^\..+\.[0-9a-f]{32}\.(new|old)$|^\..+\.\d+\.[0-9a-f]{8}\.new$|\.\d+\.tmp$|^metrics\.json\.tmp$")


class NotReadableError(OSError):
    """A file is there, and the system does not give its content: that tells nothing of what it holds."""


def not_readable(file: Path, error: OSError) -> NotReadableError:
    """What the system said of a file, with what to do.

    Args:
        file: that was asked for.
        error: of the system, with its number.

    Returns:
        The error to be raised in its place.
    """
    how = "give yourself the right to read it, or ask its owner"
    how = how if isinstance(error, PermissionError) else "put that right, and run the same command again"
    why = os.strerror(error.errno) if error.errno else error
    return NotReadableError(f"{file} cannot be read ({why}), which says nothing of its content: {how}")


def require_readable(file: Path) -> None:
    """Make sure that the system gives a file's content: libraries call one that it refuses missing, or damaged.

    Args:
        file: that is to be read.

    Raises:
        NotReadableError: it is there, and cannot be opened.
    """
    try:
        with file.open("rb"):
            pass
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return  # who reads it says so
    except OSError as error:
        raise not_readable(file, error) from error


def file_in(folder: Path, name: str) -> Path:
    """The file of that name in the folder, which must be there.

    Args:
        folder: that holds it.
        name: relative to the folder.

    Returns:
        Its path.

    Raises:
        FileNotFoundError: there is no such file; the message names it.
        NotReadableError: the system does not give it.
    """
    file = folder / name
    require_readable(file)
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
        NotReadableError: the system does not give it.
        ValueError: it is not JSON (which has no NaN), or not such an object.
    """
    file = file_in(folder, name)
    try:
        content = parse_json(file)
    except ValueError as error:
        raise ValueError(f"{error}. Remove its folder and make it again") from error
    if not isinstance(content, dict) or not keys <= content.keys():
        found = sorted(content)[:5] if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{file} must be an object with the keys {sorted(keys)}, found {str(found)[:80]}")
    return content


def seal(folder: Path) -> None:
    """Note the SHA-256 of every file of a folder in it, in ``checksums.json``.

    Args:
        folder: of files alone; what is noted already is written anew.
    """
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SUMS)
    sums = {file.name: _digest(file) for file in files}
    (folder / SUMS).write_text(json.dumps(sums, indent=1), encoding="utf-8")


def verify(folder: Path) -> None:
    """Hold the files of a folder against what ``seal`` has noted; a folder without notes is taken as it is.

    Args:
        folder: that was sealed.

    Raises:
        NotReadableError: the system does not give one.
        ValueError: a file is missing or is not the one that was written; the message names it.
    """
    if not (folder / SUMS).exists():
        return
    for name, noted in read_json(folder, SUMS, set()).items():
        file = folder / name
        if not file.is_file():
            raise ValueError(f"{file} is missing, which was written with the others of {folder}. Make them again")
        if _digest(file) != noted:
            raise ValueError(
                f"{file} is damaged: it is not the file that was written (SHA-256). Make it again, or remove "
                f"{folder / SUMS} if you have changed it yourself"
            )


def _digest(file: Path) -> str:
    require_readable(file)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clear_leftovers(root: Path) -> int:
    """Remove what killed processes of this package have left half-written; nobody may write below ``root`` meanwhile.

    A folder that was moved away and not replaced yet is put back.

    Args:
        root: the folder below which is looked, at every depth; it need not be there.

    Returns:
        How many files and folders were cleared away.
    """
    found = [path for path in root.rglob("*") if LEFTOVER.search(path.name)]
    for path in found:
        moved_away = path.name.endswith(".old") and path.is_dir()
        if moved_away and not (whole := path.with_name(path.name[1:].rsplit(".", 2)[0])).exists():
            path.replace(whole)
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def parse_json(file: Path) -> Any:
    """The content of a JSON file of anybody's.

    Args:
        file: that is there.

    Returns:
        What it holds, of any type of JSON.

    Raises:
        NotReadableError: the system does not give it.
        ValueError: it is not there, is not JSON (which has no NaN), or is nested too deeply; the message names it.
    """
    require_readable(file)
    try:
        return json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError(f"{file} is nested too deeply") from error
    except (FileNotFoundError, IsADirectoryError, ValueError) as error:
        raise ValueError(f"{file} is not JSON: {error}") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


@contextmanager
def with_space(path: Path) -> Iterator[None]:
    """Name the file or folder that found no space on its disk, or may not be written: not every library does.

    Args:
        path: that is written in the block.

    Yields:
        Nothing.

    Raises:
        OSError: the disk is full; the message names ``path`` and says what to do. Any other error of the system that a
            library has put into words of its own, as the kind of OSError that it is.
    """
    try:
        yield
    except Exception as error:  # safetensors has an error of its own, with the system's number in its text
        told = _OS_ERROR.search(str(error))
        number = getattr(error, "errno", None) or (int(told[1]) if told else None)
        if number != errno.ENOSPC:
            if told is None or isinstance(error, OSError):
                raise
            raise OSError(number, os.strerror(int(told[1])), str(path)) from error
        raise OSError(
            errno.ENOSPC,
            "No space left on device: its disk is full. Free some, or write elsewhere with "
            "`--params=data_root=/another/folder`; what is done is kept, and the same command goes on",
            str(path),
        ) from error


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder to write into, put in the place of ``folder`` at the end; a failure leaves the old one.

    The SHA-256 of every file goes with it, for ``verify``.

    Args:
        folder: to be replaced, or made where there is none; folders above it are made too.

    Yields:
        The new folder: empty, beside ``folder`` under a hidden name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = (folder.with_name(f".{folder.name}.{uuid4().hex}.{what}") for what in ("new", "old"))
    new.mkdir()
    try:
        with with_space(folder):
            yield new
            seal(new)
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
