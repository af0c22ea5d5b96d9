"""Shards: the files of a source in a few large tar files, and an index that says where in them each one lies.

A network file system is slow at opening a million small files, and fast at reading out of a few large ones. The index
decides what is read, in any order: shards are no stream.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.parquet import read_parquet

INDEX, SUMS = "index.parquet", "SHA256SUMS"
"""The index: path, sha256, shard, offset and size of each file. The digests of the shards, for ``sha256sum -c``."""


@dataclass(frozen=True)
class Place:
    """Where the content of a file lies.

    Attributes:
        shard: a tar file.
        offset: of its first byte in it.
        size: in bytes.
        digest: the beginning of the content's SHA-256, 60 bits.
        written: when the index was, in ns: shards of another index are others.
    """

    shard: Path
    offset: int
    size: int
    digest: int
    written: int

    def read(self) -> bytes:
        """The content.

        Raises:
            SamplesError: the shard is not there, cannot be read, or is shorter than the index says.
        """
        try:
            shard = _shard(self.shard, self.written)  # held: one that another thread forgets meanwhile would be closed
            content = os.pread(shard.fileno(), self.size, self.offset)
        except OSError as error:
            raise SamplesError(
                f"the shard {self.shard} cannot be read ({error.strerror}): restore it (beside it, {SUMS} has its "
                "digest), or have it written again with ingestion.shards"
            ) from error
        if len(content) < self.size:
            raise SamplesError(
                f"the shard {self.shard} is cut: its index tells of {self.offset + self.size:,} bytes at least; copy "
                f"it once more (beside it, {SUMS} has its digest)"
            )
        return content


class Shards:
    """The index of a folder, 36 bytes a file: sorted digests of the paths, so that workers share it as it is.

    Args:
        folder: with the shards and their index.

    Raises:
        SamplesError: there is no index, or it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._written = (folder / INDEX).stat().st_mtime_ns
        table = read_parquet(folder / INDEX)
        keys = np.fromiter((_key(path) for path in table["path"]), dtype=np.uint64, count=len(table))
        order = np.argsort(keys, kind="stable")
        self._keys, self._folder = keys[order], folder
        shards = table["shard"].astype("category")
        self._names = shards.cat.categories.tolist()
        self._shards = shards.cat.codes.to_numpy(dtype=np.int32)[order]
        self._offsets, self._sizes = (table[name].to_numpy(dtype=np.int64)[order] for name in ("offset", "size"))
        digests = (int(digest[:15], 16) for digest in table["sha256"])
        self._digests = np.fromiter(digests, dtype=np.int64, count=len(table))[order]
        if len(keys) > 1 and (self._keys[1:] == self._keys[:-1]).any():
            raise SamplesError(f"{folder / INDEX}: a path occurs twice; remove the folder and write the shards again")

    def __len__(self) -> int:
        """Files."""
        return len(self._keys)

    def place(self, path: str) -> Place | None:
        """Where a file lies.

        Args:
            path: as the samples table has it.

        Returns:
            Its place; None where the index does not have it.
        """
        key = np.uint64(_key(path))
        at = int(np.searchsorted(self._keys, key))
        if at == len(self._keys) or self._keys[at] != key:
            return None
        shard = self._folder / self._names[self._shards[at]]
        offset, size, digest = (int(column[at]) for column in (self._offsets, self._sizes, self._digests))
        return Place(shard, offset, size, digest, self._written)


def shards_in(folder: Path) -> Shards:
    """The shards of a folder; an index is read once in a process.

    Args:
        folder: with the shards and their index.

    Returns:
        Where each file lies.

    Raises:
        SamplesError: there is no index, or it cannot be read.
    """
    try:
        return _shards_in(folder, (folder / INDEX).stat().st_mtime_ns)
    except OSError as error:
        raise SamplesError(
            f"{folder}: there is no {INDEX} of shards; write them (`kedro run --pipelines=ingestion` with "
            "ingestion.shards), or take `shards` out of the source, so that its files are read"
        ) from error


def _key(path: str) -> int:
    return int.from_bytes(hashlib.blake2b(path.encode(errors="surrogateescape"), digest_size=8).digest(), "big")


@lru_cache(maxsize=8)
def _shards_in(folder: Path, _modified_ns: int) -> Shards:
    return Shards(folder)


@lru_cache(maxsize=128)
def _shard(file: Path, _written_ns: int) -> IO[bytes]:
    """A shard, open; the least used is closed when it is forgotten."""
    return file.open("rb", buffering=0)
