"""From (source, path) to bytes, never outside the source's root."""

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from cross_modal_kd.config import SourceConfig, SourcesConfig
from cross_modal_kd.samples.errors import SamplesError, first_few

PACKAGE_PREFIX = "package:"


def member_name(*keys: str) -> str:
    """Name of one member of a parquet container.

    Args:
        keys: Values of its key columns, in the columns' order.

    Returns:
        The keys joined by ``/``.
    """
    return "/".join(keys)


class Roots:
    """The folders of the sources.

    A path is relative to its source's root; ``file.parquet#member`` is one row of a parquet file with one column of
    bytes, the member's name being the other columns' values joined by ``/``. Paths with ``..`` or an absolute one are
    refused; a symbolic link that the owner put under the root is followed.

    Args:
        sources: The block ``sources`` of the parameters, or its content by name.
        base: Where relative roots start; None is the current folder, which is the project's folder under Kedro.
    """

    def __init__(self, sources: SourcesConfig | Mapping[str, SourceConfig], base: Path | None = None) -> None:
        self._sources = dict(sources.root if isinstance(sources, SourcesConfig) else sources)
        self._base = Path.cwd() if base is None else Path(base)

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
        if "#" in path:
            raise SamplesError(f"{source}: {path!r} is a member of a container, it has no file of its own; use bytes()")
        return self._existing(source, path)

    def bytes(self, source: str, path: str) -> bytes:
        """Content of a file or of a member of a container.

        Args:
            source: A name in the block ``sources``.
            path: Relative to the source's root; ``file.parquet#member`` for a member.

        Returns:
            Raw bytes.

        Raises:
            SamplesError: If the path escapes the root, or the file or member is missing.
        """
        container, is_member, member = path.partition("#")
        file = self._existing(source, container)
        if not is_member:
            return file.read_bytes()
        members = _members(file, file.stat().st_mtime_ns)
        if member not in members:
            raise SamplesError(
                f"{source}: {container} has no member {member!r} among its {len(members)}; "
                "correct the path or restore the file"
            )
        return members[member]

    def _existing(self, source: str, path: str) -> Path:
        check_inside(path, source)
        file = self.root(source) / path
        if not file.is_file():
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
    if escapes(path):
        raise SamplesError(
            f"{source}: path {path!r} leads outside the source's root; write it relative to the root, without '..'"
        )


def escapes(path: str) -> bool:
    """Whether a path is empty, absolute, climbs with ``..`` or uses backslashes.

    Args:
        path: As a source gives it.

    Returns:
        True for a path that must not be followed.
    """
    pure = PurePosixPath(path)
    return not path or pure.is_absolute() or ".." in pure.parts or "\\" in path


def _package_folder(spec: str, where: str) -> Path:
    package, _, inner = spec.removeprefix(PACKAGE_PREFIX).partition("/")
    found = importlib.util.find_spec(package) if package else None
    if found is None or not found.submodule_search_locations:
        raise SamplesError(f"{where} = {spec!r}: the package {package!r} is not installed; pip install {package}")
    check_inside(inner or ".", where)
    return Path(next(iter(found.submodule_search_locations))) / inner


@lru_cache(maxsize=4)
def _members(file: Path, _modified_ns: int) -> dict[str, bytes]:
    from pandas.api.types import is_object_dtype

    from cross_modal_kd.samples.parquet import read_parquet

    frame = read_parquet(file)
    blobs = [column for column in frame if is_object_dtype(frame[column])]
    if len(blobs) != 1:
        raise SamplesError(f"{file}: expected one column of bytes beside the key columns, found {blobs}")
    keys = frame.drop(columns=blobs).astype(str)
    names = [member_name(*row) for row in keys.itertuples(index=False)]
    return dict(zip(names, frame[blobs[0]], strict=True))
