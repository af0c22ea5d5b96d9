"""What outlives a process on disk: whole folders with checksums, CSV files, and locks that say who writes there."""

from cross_modal_kd.storage.columns import read_columns
from cross_modal_kd.storage.csv_file import (
    csv_text,
    plain_text,
    read_csv,
    safe_text,
    visible_text,
    without_addresses,
    write_csv,
)
from cross_modal_kd.storage.encoding import decoded, encoding_of, misread, text_in
from cross_modal_kd.storage.folder import (
    SUMS,
    NotReadableError,
    clear_leftovers,
    file_in,
    not_readable,
    parse_json,
    read_json,
    replaced,
    require_readable,
    seal,
    verify,
    with_space,
)
from cross_modal_kd.storage.lock import HeldError, Lock, guarded, replacing, write_whole
from cross_modal_kd.storage.process import is_dead, process_facts, user
from cross_modal_kd.storage.rows_file import RowsFile
from cross_modal_kd.storage.words import counted_kinds, how_many, with_article

__all__ = [
    "SUMS",
    "HeldError",
    "Lock",
    "NotReadableError",
    "RowsFile",
    "clear_leftovers",
    "counted_kinds",
    "how_many",
    "csv_text",
    "decoded",
    "encoding_of",
    "file_in",
    "guarded",
    "is_dead",
    "misread",
    "not_readable",
    "parse_json",
    "plain_text",
    "process_facts",
    "read_columns",
    "read_csv",
    "read_json",
    "replaced",
    "replacing",
    "require_readable",
    "safe_text",
    "seal",
    "text_in",
    "user",
    "verify",
    "visible_text",
    "with_article",
    "with_space",
    "without_addresses",
    "write_csv",
    "write_whole",
]
