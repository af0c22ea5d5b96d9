"""Members of tar files that come with raw data: ``file.tar#member``."""

import os
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.names import shown

TAR = ".tar"
BLOCK, MEBIBYTE = tarfile.BLOCKSIZE, 2**20
FOLDER = "a folder"
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""What files of a compression begin with."""


class TarEntry(NamedTuple):
    """A header of a tar file.

    Attributes:
        name: as the tar has it; bytes that are not UTF-8 are lone surrogates.
        offset: byte of the tar at which its content begins.
        size: bytes of its content.
        odd: why it is no file whose content lies in the tar (a folder, a link, ...); empty where it is one.
    """

    name: str
    offset: int
    size: int
    odd: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which holds nothing of its own."""
        return self.odd == FOLDER


def tar_entries(file: Path) -> list[TarEntry]:
    """Every header of a tar file, of links and folders too; no content is read.

    Args:
        file: not compressed.

    Returns:
        The headers, in the order of the file.

    Raises:
        SamplesError: It is no readable tar file, is compressed, is cut, or goes on after its end.
    """
    size = file.stat().st_size
    entries = []
    try:
        with tarfile.open(file, "r:") as tar:
            for each in tar:
                end = each.offset_data + each.size
                if each.size < 0 or (end > size and each.isreg() and not each.issparse()):
                    raise tarfile.ReadError(
                        f"its member {shown(each.name)!r} of {each.size:,} bytes would end at byte {end:,} of {size:,}"
                    )
                entries.append(TarEntry(each.name, each.offset_data, each.size, _odd(each)))
            _require_end(file, tar.offset, size)
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError) as error:
        raise SamplesError(
            f"{file}: not a readable tar file ({_packed(file) or error}); "
            f"{'unpack it to a .tar' if _packed(file) else 'copy it once more, or take it out'}"
        ) from error
    return entries


def tar_members(file: Path) -> dict[str, tuple[int, int]]:
    """Where the members of a tar file lie; its headers are read, once in a process.

    Args:
        file: not compressed.

    Returns:
        Name -> (offset, size) in bytes, in the order of the file.

    Raises:
        SamplesError: As ``tar_entries`` does.
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
    return {each.name: (each.offset, each.size) for each in tar_entries(file) if not each.odd}


def _odd(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        kind = "symbolic" if member.issym() else "hard"
        return f"a {kind} link to {shown(member.linkname)!r}, which is not followed: write the file itself into the tar"
    if member.issparse():
        return "a file with holes, whose content does not lie in one piece: write it whole (tar without --sparse)"
    return "" if member.isreg() else FOLDER if member.isdir() else "no file: a pipe or a device"


def _packed(file: Path) -> str:
    """What a file is compressed with, in words; empty where it is not."""
    with file.open("rb") as stream:
        begins = stream.read(8)
    kind = next((name for magic, name in PACKED.items() if begins.startswith(magic)), "")
    return f"it is compressed with {kind}, and members of a compressed tar cannot be read in place" if kind else ""


def _require_end(file: Path, end: int, size: int) -> None:
    """ReadError unless the headers end in a block of zeros, and nothing but zeros follows.

    ``tarfile`` takes whatever is no header for the end.
    """
    with file.open("rb") as stream:
        stream.seek(end)
        mark = stream.read(BLOCK)
        if len(mark) < BLOCK or any(mark):
            raise tarfile.ReadError(f"its headers break off at byte {end:,} of {size:,}, without the mark of an end")
        while rest := stream.read(MEBIBYTE):
            if rest.count(0) < len(rest):
                raise tarfile.ReadError(
                    f"more data follow its end at byte {end:,}, as where tars are joined by cat: keep each as a file"
                )
