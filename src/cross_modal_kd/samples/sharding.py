"""Writing shards: the files of a source into a few large tar files and their index."""

import errno
import hashlib
import io
import logging
import os
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd

from cross_modal_kd.config import SourcesConfig
from cross_modal_kd.samples.errors import SamplesError, first_few
from cross_modal_kd.samples.parquet import read_parquet
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.shards import INDEX, SUMS
from cross_modal_kd.storage import HeldError, guarded, how_many, replacing, with_space, write_whole

logger = logging.getLogger(__name__)

Opened = Callable[[str], IO[bytes]]

GUARD = ".writing"


def update_shards(samples: pd.DataFrame, sources: SourcesConfig, mb: int | None, base: Path | None = None) -> None:
    """Bring the shards of every source that has some up to date with the samples table.

    Args:
        samples: the table; rows with a path count.
        sources: of which those with ``shards`` count.
        mb: of a shard; None writes none, and then they have to be up to date already.
        base: where relative folders start, as ``Roots`` takes it.

    Raises:
        SamplesError: there are shards to be written and no source says where, or not into that folder, or another run
            is writing there; files are not in the shards as the table has them, and none are to be written.
    """
    roots, originals = Roots(sources, base), Roots(sources, base, originals=True)
    folders = {name: folder for name in sources.root if (folder := roots.shard_folder(name)) is not None}
    if mb is not None and not folders:
        raise SamplesError(
            f"ingestion.shards: no source says where to; give sources.{next(iter(sources.root))}.shards a folder"
        )
    for name, folder in folders.items():
        files = samples.loc[(samples["source"] == name) & samples["path"].notna(), ["path", "sha256"]]
        if mb is not None:
            try:
                added = write_shards(folder, files, partial(_opened, originals, name), mb)
            except HeldError as error:
                raise SamplesError(
                    f"sources.{name}.shards: another run is writing into {folder}; wait for its end and run the same "
                    "command again, or give a folder that no other run writes to"
                ) from error
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                    raise
                raise SamplesError(
                    f"sources.{name}.shards: {folder} cannot be written to ({error.strerror}); give a folder that is "
                    "this user's"
                ) from error
            there = how_many(len(files), "file")
            logger.info("%s: %s in the shards of %s, %d of them new", name, there, folder, added)
        elif len(lacking := lacking_in(folder, files)):
            raise SamplesError(
                f"{name}: {how_many(len(lacking), 'file is', 'files are')} not in the shards of {folder}, or changed "
                f"since: {first_few(lacking['path'], 3)}. Run ingestion with ingestion.shards, which writes them, or "
                f"take sources.{name}.shards out"
            )


def _opened(originals: Roots, source: str, path: str) -> IO[bytes]:
    content = originals.content(source, path)
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def lacking_in(folder: Path, files: pd.DataFrame) -> pd.DataFrame:
    """Files that the shards of a folder do not have, or have with another content.

    Args:
        folder: of shards and their index, or for them.
        files: columns path and sha256.

    Returns:
        Some of the rows, each path once.
    """
    files = files[["path", "sha256"]].drop_duplicates("path")
    if not (folder / INDEX).exists():
        return files
    there = read_parquet(folder / INDEX)[["path", "sha256"]].astype(str)
    known = files.astype(str).merge(there, how="left", indicator=True)["_merge"] == "both"
    return files[~known.to_numpy()]


def write_shards(folder: Path, files: pd.DataFrame, opened: Opened, mb: int) -> int:
    """Put files into shards, and those that lie there already with the same content not again.

    A shard is whole before it has its name, and the index comes last: a killed run leaves the older index, and the next
    one goes on. A file whose content has changed is added; its older content stays where it is. One process writes at a
    time: two would give their shards the same names.

    Args:
        folder: for shards and index; made where it is missing.
        files: columns path and sha256, a row a file.
        opened: a path -> its content, open at its beginning.
        mb: of a shard; one that a single file is larger than is as large as that.

    Returns:
        How many files were added.

    Raises:
        SamplesError: a file is not the one whose digest is given, or cannot be read.
        HeldError: another process is writing there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if lacking_in(folder, files).empty:
        return 0
    with guarded(folder / GUARD, passing=True):
        return _added_to(folder, files, opened, mb)


def _added_to(folder: Path, files: pd.DataFrame, opened: Opened, mb: int) -> int:
    """``write_shards``, while nobody else writes there."""
    lacking = lacking_in(folder, files)
    if lacking.empty:
        return 0
    there = read_parquet(folder / INDEX) if (folder / INDEX).exists() else None
    first = 0 if there is None else 1 + max(int(name[6:-4]) for name in there["shard"].unique())
    new = _written(folder, lacking, opened, mb * 2**20, first)
    whole = new if there is None else pd.concat([there[~there["path"].isin(new["path"])], new], ignore_index=True)
    with with_space(folder), replacing(folder / INDEX) as index:
        whole.to_parquet(index, index=False)
    return len(new)


def _written(folder: Path, files: pd.DataFrame, opened: Opened, most: int, first: int) -> pd.DataFrame:
    """The index of files that are put into new shards, from that number on."""
    names: list[str] = []
    offsets: list[int] = []
    sizes: list[int] = []
    left = zip(files["path"], files["sha256"], strict=True)
    while len(names) < len(files):
        name = f"shard-{first:06d}.tar"
        first += 1
        with with_space(folder), replacing(folder / name) as file, file.open("wb") as plain:
            stream = _Digested(plain)
            with tarfile.open(fileobj=cast(Any, stream), mode="w", format=tarfile.GNU_FORMAT) as tar:
                while tar.offset < most and (each := next(left, None)) is not None:
                    offset, size = _added(tar, *each, opened)
                    names.append(name)
                    offsets.append(offset)
                    sizes.append(size)
            stream.sync()
        _note(folder, name, stream.digest.hexdigest())
    return files.assign(shard=names, offset=offsets, size=sizes)


def _added(tar: tarfile.TarFile, path: str, sha256: str, opened: Opened) -> tuple[int, int]:
    """Offset and size of a file's content in a shard to which it is added."""
    with opened(path) as content:
        member = tarfile.TarInfo(path)
        member.size = content.seek(0, os.SEEK_END)
        content.seek(0)
        read = _Digested(content)
        tar.addfile(member, cast(Any, read))
    if read.digest.hexdigest() != sha256:
        raise SamplesError(
            f"{path}: the file has changed since it was inspected (SHA-256); run again, and leave it alone meanwhile"
        )
    return tar.offset - -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE, member.size


class _Digested:
    """A stream of which the SHA-256 of all that passes is kept."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.digest = stream, hashlib.sha256()
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.digest.update(content)
        return content

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._stream.write(content)

    def sync(self) -> None:
        """Have it on the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _note(folder: Path, name: str, digest: str) -> None:
    """A line for a shard in the list of digests; of one that is written again its older line goes."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    kept = [line for line in lines if not line.endswith(f"  {name}")]
    write_whole(sums, "\n".join([*kept, f"{digest}  {name}", ""]))
