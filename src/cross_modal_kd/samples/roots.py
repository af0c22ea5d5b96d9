"""From (source, path) to bytes: a file, a member of a Parquet file, a film or a shard, never outside the root."""

import hashlib
import importlib.util
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cross_modal_kd.config import SourceConfig, SourcesConfig
from cross_modal_kd.samples.boxes import without_box
from cross_modal_kd.samples.container import CONTAINER, member_bytes
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError, first_few
from cross_modal_kd.samples.frames import FILM, frame_bytes
from cross_modal_kd.samples.joined import joined_files, recording_bytes
from cross_modal_kd.samples.names import leads_outside
from cross_modal_kd.samples.shards import Shards, shards_in
from cross_modal_kd.samples.stretches import CUT
from cross_modal_kd.samples.tar_files import TAR, tar_member_bytes

if TYPE_CHECKING:
    import pandas as pd

PACKAGE_PREFIX = "package:"
READERS = {CONTAINER: member_bytes, FILM: frame_bytes, TAR: tar_member_bytes} | dict.fromkeys(CUT, recording_bytes)
MEMBER = re.compile(rf"(?:{'|'.join(map(re.escape, READERS))})(?=#)")
"""In the address of a member: the ending of the file that it lies in, before the ``#``."""

Stamp = tuple[int, int, int]
NOTHING = (-1, -1, -1)


class Roots:
    """The folders of the sources.

    A path is relative to its source's root, and may have any name that the file system allows, ``#`` in it or not.
    ``file.parquet#member`` is one row of a Parquet file with one column of bytes, the member's name being the other
    columns' values joined by ``/``: it is one where there is no file of the whole name, and ``file.parquet`` is a file.
    So is ``film.mp4#2/5``, a frame: that in the middle of the second of five equal parts; and ``call.wav#t=1.5,4.25``,
    a stretch of a recording; and ``a.flac#join/b.flac``, two recordings of a folder as one.
    ``file.tar#member`` is a member of a tar file.
    Paths with ``..`` or an absolute one are refused; a symbolic link that the owner put under the root is followed.
    What ends in a box (``file.jpg#xywh=60,27,325,304``) is a part of a file, of which the whole content is given.
    Of a source that has ``shards``, what their index names is read from them.

    Args:
        sources: The block ``sources`` of the parameters, or its content by name.
        base: Where relative roots start; None is the current folder, which is the project's folder under Kedro.
        originals: Whether shards are passed over, as by what fills them.
    """

    def __init__(
        self, sources: SourcesConfig | Mapping[str, SourceConfig], base: Path | None = None, originals: bool = False
    ) -> None:
        self._sources = dict(sources.root if isinstance(sources, SourcesConfig) else sources)
        self._base = Path.cwd() if base is None else Path(base)
        self._originals = originals

    def root(self, source: str) -> Path:
        """Folder of a source.

        Args:
            source: A name in the block ``sources``.

        Returns:
            A folder that exists.

        Raises:
            SamplesError: For an unknown source, or a folder or package that is not there.
        """
        if source not in self._sources:
            raise SamplesError(f"unknown source {source!r}; sources has: {first_few(self._sources, 20)}")
        spec = self._sources[source].root
        where = f"sources.{source}.root"
        folder = _package_folder(spec, where) if spec.startswith(PACKAGE_PREFIX) else self._base / spec
        if not folder.is_dir():
            raise SamplesError(f"{where} = {spec!r}: there is no folder {folder}; put data there or correct the root")
        return folder

    def shard_folder(self, source: str) -> Path | None:
        """Where the shards of a source lie, or are to lie.

        Args:
            source: A name in the block ``sources``.

        Returns:
            A folder, which need not be there; None of a source without.
        """
        spec = self._sources[source].shards if source in self._sources and not self._originals else None
        return None if spec is None else self._base / spec

    def shards(self, source: str) -> Shards | None:
        """The shards of a source.

        Args:
            source: A name in the block ``sources``.

        Returns:
            Where in them each file lies; None of a source without.

        Raises:
            SamplesError: The folder has no index of shards.
        """
        folder = self.shard_folder(source)
        return None if folder is None else shards_in(folder)

    def content(self, source: str, path: str) -> Path | bytes:
        """A file, or what of a container or a shard is one.

        Args:
            source: A name in the block ``sources``.
            path: As ``bytes`` takes it.

        Returns:
            A path that exists, so that no more need be read than is wanted; bytes where there is no file of its own.

        Raises:
            SamplesError: As ``bytes`` does.
        """
        check_inside(path, source)
        shards = self.shards(source)
        if shards is not None and (place := shards.place(path)) is not None:
            return place.read()
        path = without_box(path)
        member = self._member(source, path)
        return self._existing(source, path) if member is None else READERS[member[0].suffix](*member, source)

    def file(self, source: str, path: str) -> Path:
        """Path on disk of a plain file.

        Args:
            source: A name in the block ``sources``.
            path: Relative to the source's root.

        Returns:
            A file that exists.

        Raises:
            SamplesError: If the path escapes the root, is a member of a container, or is missing.
        """
        if self._member(source, path) is not None:
            raise SamplesError(f"{source}: {path!r} is a member of a container, it has no file of its own; use bytes()")
        return self._existing(source, path)

    def beginning(self, source: str, path: str, size: int = 512) -> bytes:
        """The first bytes of the file that an address lies in.

        Args:
            source: A name in the block ``sources``.
            path: As ``bytes`` takes it.
            size: How many, at most.

        Returns:
            The bytes.

        Raises:
            SamplesError: As ``bytes`` does.
            OSError: The file system does not give them.
        """
        member = self._member(source, path := without_box(path))
        with (self._existing(source, path) if member is None else member[0]).open("rb") as file:
            return file.read(size)

    def bytes(self, source: str, path: str) -> bytes:
        """Content of a file or of a member of a container.

        Args:
            source: A name in the block ``sources``.
            path: Relative to the source's root; ``file.parquet#member`` or ``film.mp4#k/n`` for a member.

        Returns:
            Raw bytes.

        Raises:
            SamplesError: If the path escapes the root, or the file or member is missing.
            UnreadableSampleError: If the file is there, and the file system does not give its content; a film that
                cannot be decoded.
        """
        content = self.content(source, path)
        if not isinstance(content, Path):
            return content
        try:
            return content.read_bytes()
        except OSError as error:
            raise UnreadableSampleError(
                path, f"the file cannot be read ({type(error).__name__}: {error.strerror})"
            ) from error

    def stamps(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """What tells files from those of another time without reading them.

        Args:
            rows: n rows with source and path.

        Returns:
            root (a number of what ``sources`` says), size (bytes), mtime_ns (when its content was last changed, as
            whoever wrote it says) and ctime_ns (as the file system says) on the rows' index; of a member of a container
            those of the container; of joined recordings the sum and the last; of what is read from shards its own size
            and the beginning of its SHA-256; a size of -1 where there is no path, or nothing there.
        """
        import pandas as pd

        of_container: dict[tuple[str, str], Stamp] = {}
        there = rows.loc[rows["path"].notna(), "source"].unique()
        shards = {source: self.shards(source) for source in there}
        folders = {source: f"{self.root(source)}{os.sep}" for source in there if shards[source] is None}
        found = np.full((len(rows), 3), -1, dtype=np.int64)
        for at, (source, path) in enumerate(zip(rows["source"], rows["path"], strict=True)):
            if not isinstance(path, str):
                continue
            if (within := shards[source]) is not None and (place := within.place(path)) is not None:
                found[at] = place.size, place.digest, 0
                continue
            if source not in folders:
                folders[source] = f"{self.root(source)}{os.sep}"
            path = without_box(path)
            stamp = _stamp_of_all(folders[source], path)
            if stamp is None and (member := MEMBER.search(path)):
                container = source, path[: member.end()]
                if container not in of_container:
                    of_container[container] = _stamp(folders[source] + container[1]) or NOTHING
                stamp = of_container[container]
            found[at] = NOTHING if stamp is None else stamp
        stamps = pd.DataFrame(found, columns=["size", "mtime_ns", "ctime_ns"], index=rows.index)
        specs = {source: self._sources[source].root for source in there}
        numbers = {source: int(hashlib.sha256(spec.encode()).hexdigest()[:15], 16) for source, spec in specs.items()}
        stamps.insert(0, "root", rows["source"].map(numbers).fillna(-1).astype(np.int64))
        return stamps

    def _member(self, source: str, path: str) -> tuple[Path, str] | None:
        """The container's file and the member's name; None for a path that is a file, or could only be one."""
        check_inside(path, source)
        places = list(MEMBER.finditer(path))
        if not places or _is_file(self.root(source) / path):
            return None
        for place in places:
            if _is_file(file := self.root(source) / path[: place.end()]):
                return file, path[place.end() + 1 :]
        return None

    def _existing(self, source: str, path: str) -> Path:
        check_inside(path, source)
        file = self.root(source) / path
        if not _is_file(file):
            raise SamplesError(
                f"{source}: the file {path!r} is missing (looked for {file}); restore it or take it out of the source"
            )
        return file


def check_inside(path: str, source: str) -> None:
    """Make sure that a path is relative and stays where it starts.

    Args:
        path: As the source gives it.
        source: Its name, for the message.

    Raises:
        SamplesError: If it leads outside.
    """
    if not path or leads_outside(path):
        raise SamplesError(
            f"{source}: path {path!r} leads outside the source's root; write it relative to the root, without '..'"
        )


def _stamp(file: str) -> Stamp | None:
    """Size and times of the last change of a file, None where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 (of a million files, without an object each)
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns) if stat.S_ISREG(found.st_mode) else None


def _stamp_of_all(folder: str, path: str) -> Stamp | None:
    """That of a file; of joined recordings the sum of the sizes and the last of the times, of those that are there."""
    whole = _stamp(folder + path)
    if whole is not None or len(files := joined_files(path)) == 1:
        return whole
    found = [stamp for file in files if (stamp := _stamp(folder + file)) is not None]
    if not found:
        return None
    sizes, modified, changed = zip(*found, strict=True)
    return sum(sizes), max(modified), max(changed)


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that this file system cannot have
        return False


def _package_folder(spec: str, where: str) -> Path:
    package, _, inner = spec.removeprefix(PACKAGE_PREFIX).partition("/")
    found = importlib.util.find_spec(package) if package else None
    if found is None or not found.submodule_search_locations:
        raise SamplesError(f"{where} = {spec!r}: the package {package!r} is not installed; pip install {package}")
    check_inside(inner or ".", where)
    return Path(next(iter(found.submodule_search_locations))) / inner
