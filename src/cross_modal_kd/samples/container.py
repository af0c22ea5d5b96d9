"""Members of Parquet files: one row each, with one column of bytes, found by the values of the others."""

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cross_modal_kd.samples.errors import SamplesError, first_few
from cross_modal_kd.samples.parquet import opened_parquet

if TYPE_CHECKING:
    import pyarrow as pa

CONTAINER = ".parquet"
MOST_BYTES = 2**28
"""Of members that a process keeps, in whole row groups: the last that it has read, and always one."""

_kept: "dict[tuple[Path, int, int], pa.ChunkedArray]" = {}


def member_path(container: str, *keys: str) -> str:
    """Address of one member of a container, as the column ``path`` of the samples table has it.

    Args:
        container: Path of a Parquet file, relative to its source's root.
        keys: Values of its key columns, in the columns' order.

    Returns:
        The path, ``#`` and the member's name.

    Raises:
        ValueError: The container's name does not end in ``.parquet``, by which an address is known.
    """
    if not container.endswith(CONTAINER):
        raise ValueError(f"a container of samples is a file that ends in {CONTAINER}, found {container!r}")
    return f"{container}#{member_name(*keys)}"


def member_name(*keys: str) -> str:
    """Name of one member of a parquet container.

    Args:
        keys: Values of its key columns, in the columns' order.

    Returns:
        The keys joined by ``/``.
    """
    return "/".join(keys)


def member_bytes(file: Path, member: str, source: str) -> bytes:
    """Content of a member, of which the row group that it lies in is read, and kept for the next ones.

    Args:
        file: The container.
        member: Its name.
        source: Of the container, for errors.

    Returns:
        Raw bytes.

    Raises:
        SamplesError: The file is damaged, has other columns, or no such member.
    """
    modified = file.stat().st_mtime_ns
    column, places, starts = _members(file, modified)
    if member not in places:
        raise SamplesError(
            f"{source}: {file.name} has no member {member!r} among its {len(places)}; "
            "correct the path or restore the file"
        )
    row = places[member]
    group = next(number for number, start in enumerate(starts[1:]) if row < start)
    content: bytes = _group(file, modified, group, column)[row - starts[group]].as_py()
    return content


@lru_cache(maxsize=64)
def _members(file: Path, _modified_ns: int) -> tuple[str, dict[str, int], list[int]]:
    """The column of bytes, the row of each member, and the first row of each row group and of what follows."""
    import pyarrow as pa

    with opened_parquet(file) as opened:
        fields = opened.schema_arrow
        blobs = [
            field.name for field in fields if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
        ]
        if len(blobs) != 1:
            raise SamplesError(f"{file}: expected one column of bytes beside the key columns, found {blobs}")
        keys = opened.read([name for name in fields.names if name not in blobs], use_threads=False).to_pandas()
        starts = [0]
        for number in range(opened.num_row_groups):
            starts.append(starts[-1] + opened.metadata.row_group(number).num_rows)
    names = [member_name(*row) for row in keys.astype(str).itertuples(index=False)]
    if len(set(names)) < len(names):
        repeated = {name for name, count in Counter(names).items() if count > 1}
        raise SamplesError(f"{file}: the key columns name more than one row {first_few(repeated)}; each may occur once")
    return blobs[0], {name: row for row, name in enumerate(names)}, starts


def _group(file: Path, modified_ns: int, group: int, column: str) -> "pa.ChunkedArray":
    """The bytes of a row group. No lock: a process that is forked meanwhile would never get it back."""
    key = (file, modified_ns, group)
    found = _kept.pop(key, None)
    if found is None:
        with opened_parquet(file) as opened:
            found = opened.read_row_group(group, [column], use_threads=False).column(0)
    _kept[key] = found
    while len(_kept) > 1 and sum(each.nbytes for each in list(_kept.values())) > MOST_BYTES:
        _kept.pop(next(iter(list(_kept))), None)
    return found
