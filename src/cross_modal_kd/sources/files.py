"""Every file below a folder, and what is passed over with its reason: nothing that lies there is dropped in silence."""

import logging
import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cross_modal_kd.samples import SamplesError, box_of, is_hidden, is_utf8, leads_outside, one_form, shown
from cross_modal_kd.storage import misread

logger = logging.getLogger(__name__)


class Files(NamedTuple):
    """paths: of the files, relative to the folder, with ``/``, sorted. passed_over: path -> why it is not used."""

    paths: list[str]
    passed_over: dict[str, str]


def list_files(root: Path) -> Files:
    """Every file below ``root`` that a table can name.

    Files and folders whose name starts with a dot, and the ``__MACOSX`` of a Mac's archives, are left out, at every
    depth, and counted in the log. Links are
    followed, also out of ``root``: folders that lie in ``root`` come first, each real folder is walked once, and a link
    to one that was walked, or to a folder above ``root``, is passed over. So links in a circle end.

    Args:
        root: a folder that exists.

    Returns:
        The files, and what is passed over with its reason: names that are not UTF-8 or that would lead outside, links
        that lead nowhere or round in a circle, folders that cannot be opened, and what is no file (a pipe, a device).

    Raises:
        SamplesError: this Python misreads the name of a file, as it would all that are not ASCII.
    """
    walk = _Walk(root)
    walk.below("")
    while walk.links:
        walk.linked(min(walk.links))
    if walk.hidden:
        logger.info("%s: %d hidden files or folders (.name) are passed over", shown(str(root)), walk.hidden)
    return Files(sorted(walk.paths), dict(sorted(walk.passed_over.items())))


@contextmanager
def untold() -> Iterator[None]:
    """For a look ahead: what the sources log meanwhile is left to the one that counts, errors apart.

    Yields:
        Nothing.
    """
    said_again = logging.getLogger("cross_modal_kd.sources")
    level = said_again.level
    said_again.setLevel(logging.ERROR)
    try:
        yield
    finally:
        said_again.setLevel(level)


class Known:
    """Paths of files, found in whatever form a table writes them.

    Args:
        paths: as the file system has them.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = set(paths)

    @cached_property
    def _path_of(self) -> dict[str, str]:
        """The first path of each plain form; not needed while a table writes paths as the file system has them."""
        found: dict[str, str] = {}
        for path in sorted(self._paths):
            found.setdefault(plain(path), path)
        return found

    @cached_property
    def _by_case(self) -> dict[str, str]:
        """The path of each plain form whatever its capitals, where it is the only one."""
        found: dict[str, str] = {}
        for form, path in self._path_of.items():
            key = form.casefold()
            found[key] = "" if key in found else path
        return found

    def found(self, path: str) -> str:
        """The file that a table means: by its own name, else whatever the form (``./``, backslashes, Unicode).

        Last whatever the capitals (``1.JPG`` for ``1.jpg``), where there is one such file alone.

        Args:
            path: as the table has it.

        Returns:
            As the file system has it, or the plain form of the table's own where there is no such file.
        """
        if path in self._paths:
            return path
        forms = (plain(path), plain(path.strip()), plain(path.strip().replace("\\", "/")))
        if (same := next((self._path_of[form] for form in forms if form in self._path_of), None)) is not None:
            return same
        return next((near for form in forms if (near := self._by_case.get(form.casefold()))), forms[0])


def plain(path: str) -> str:
    """A path without ``./`` and double slashes, in one form of Unicode.

    Args:
        path: of a file.

    Returns:
        Another name of the same file.

    >>> plain("./a//b.png")
    'a/b.png'
    """
    return one_form(posixpath.normpath(path)) if path else path


def unusable_name(path: str) -> str:
    """Why a file cannot be named by a table.

    Args:
        path: relative to a root, or the name of a member of a tar.

    Returns:
        The reason, with what to do; empty of a name that can.
    """
    if not is_utf8(path):
        return "its name is not UTF-8, which tables cannot hold: rename it"
    if leads_outside(path):
        return "its name reads like a path out of the source's root ('..'): rename it"
    return "its name reads like a part of a picture ('#xywh=...'): rename it" if box_of(path) else ""


class _Walk:
    """What one walk has found. links: paths of linked folders that are not walked yet."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._walked: dict[Path, str] = {}
        self.paths: list[str] = []
        self.passed_over: dict[str, str] = {}
        self.links: set[str] = set()
        self.hidden = 0

    def below(self, path: str) -> None:
        """Walk the folder ``path`` (relative to the root) and all below it but linked folders."""
        waiting = [path]
        while waiting:
            here = waiting.pop()
            if not self._is_new(here):
                continue
            try:
                with os.scandir(self._root / here) as found:
                    entries = list(found)
            except OSError as error:
                self.passed_over[here or "."] = f"the folder cannot be opened ({type(error).__name__})"
                continue
            for entry in entries:
                inner = f"{here}/{entry.name}" if here else entry.name
                if is_hidden(entry.name):
                    self.hidden += 1
                elif reason := misread(entry.name):
                    raise SamplesError(f"{shown(str(self._root))}: {reason}")
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(inner)
                else:
                    self._file_or_link(entry, inner)

    def linked(self, path: str) -> None:
        """Walk a linked folder, unless that goes in a circle."""
        self.links.remove(path)
        if (self._root / path).resolve() in self._root.resolve().parents:
            self.passed_over[path] = "a link to a folder above the source's root: to follow it would go in a circle"
        else:
            self.below(path)

    def _is_new(self, path: str) -> bool:
        """Whether this real folder is met for the first time; else it is passed over."""
        known = self._walked.setdefault((self._root / path).resolve(), path)
        if known != path:
            where = shown(known) or "the source's root"
            self.passed_over[path] = f"a link to a folder whose files are listed already: {where}"
        return known == path

    def _file_or_link(self, entry: "os.DirEntry[str]", path: str) -> None:
        """Note what is no plain folder; most files are known from their entry, without another look at the disk."""
        try:
            if entry.is_file():
                self._file(path)
            elif entry.is_dir():
                self.links.add(path)
            elif entry.is_symlink():
                self.passed_over[path] = "a link that leads to no file"
            else:
                self.passed_over[path] = "no file that can be read: a pipe, a socket or a device"
        except OSError as error:
            self.passed_over[path] = f"what it leads to cannot be looked at ({error.strerror})"

    def _file(self, path: str) -> None:
        if reason := unusable_name(path):
            self.passed_over[path] = reason
        else:
            self.paths.append(path)
