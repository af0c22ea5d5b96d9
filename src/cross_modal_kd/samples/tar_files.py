"""Members of tar files that come with raw data: ``file.tar#member``."""

import os
import tarfile
from functools import lru_cache
from pathlib import Path

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError

TAR = ".tar"


def tar_members(file: Path) -> dict[str, tuple[int, int]]:
    """Where the members of a tar file lie; its headers are read, once in a process.

    Args:
        file: not compressed.

    Returns:
        Name -> (offset, size) in bytes, in the order of the file.

    Raises:
        SamplesError: It is no readable tar file, or is cut.
    """
    return _members(file, file.stat().st_mtime_ns)


def tar_member_bytes(file: Path, member: str, source: str) -> bytes:
    """Content of a member.

    Args:
        file: the tar file.
        member: its name.
        source: of the file, for errors.

    Returns:
        Raw bytes.

    Raises:
        SamplesError: The file is damaged, or has no such member.
        UnreadableSampleError: The file ends within the member.
    """
    places = tar_members(file)
    if member not in places:
        raise SamplesError(f"{source}: {file.name} has no member {member!r} among its {len(places)}; correct the path")
    offset, size = places[member]
    with file.open("rb", buffering=0) as tar:
        content = os.pread(tar.fileno(), size, offset)
    if len(content) < size:
        raise UnreadableSampleError(f"{file.name}#{member}", "the tar file ends within it: copy it once more")
    return content


@lru_cache(maxsize=1024)
def _members(file: Path, _modified_ns: int) -> dict[str, tuple[int, int]]:
    try:
        with tarfile.open(file, "r:") as tar:
            return {each.name: (each.offset_data, each.size) for each in tar if each.isreg()}
    except (tarfile.TarError, OSError) as error:
        raise SamplesError(f"{file}: not a readable tar file ({error}); copy it once more, or take it out") from error
