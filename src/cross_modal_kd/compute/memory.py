"""Memory that stays with the process from one step to the next."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

TRIM, MAP = -1, -3  # glibc's names for what mallopt sets: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
NEVER, LARGEST, OLDER = -1, 2**30, 2**25
"""A threshold that is not reached; the largest block that is kept, and what glibc before 2.35 allows at most."""

_holders = 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """A context in which what one step frees is there for the next, and does not go back to the system between them.

    glibc maps every block above 32 MB anew, and gives back what lies free at the heap's end: a step of the default
    student then touches thousands of fresh pages, each of which the system fills with zeros first. No number changes.
    The peak stays about the same, since the next step needs what is kept; at the end of the outermost context all goes
    back. Under another allocator than glibc's nothing is changed.

    Yields:
        Nothing.
    """
    global _holders
    allocator = _glibc()
    if allocator is None:
        yield
        return
    if not _holders:
        allocator.mallopt(TRIM, NEVER)
        if not allocator.mallopt(MAP, LARGEST):
            allocator.mallopt(MAP, OLDER)
    _holders += 1
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:  # what glibc comes to by itself in a process that has freed a large block
            allocator.mallopt(TRIM, 2 * OLDER)
            allocator.mallopt(MAP, OLDER)
            allocator.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library of this process, where it is glibc."""
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
