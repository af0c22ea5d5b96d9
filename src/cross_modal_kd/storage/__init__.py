"""What outlives a process on disk: folders replaced whole, with checksums, and locks that say who writes there."""

from cross_modal_kd.storage.folder import SUMS, clear_leftovers, file_in, read_json, replaced, seal, verify
from cross_modal_kd.storage.lock import HeldError, Lock, guarded, write_whole
from cross_modal_kd.storage.process import is_dead, process_facts, user

__all__ = [
    "SUMS",
    "HeldError",
    "Lock",
    "clear_leftovers",
    "file_in",
    "guarded",
    "is_dead",
    "process_facts",
    "read_json",
    "replaced",
    "seal",
    "user",
    "verify",
    "write_whole",
]
