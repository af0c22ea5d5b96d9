"""Where work runs: the one place that makes a Fabric, asks which device there is, and holds a folder for one writer.

Importing it imports neither torch nor lightning: both are imported when a device is asked for.
"""

from cross_modal_kd.compute.csv_file import csv_text, plain_text, read_csv, safe_text, without_addresses, write_csv
from cross_modal_kd.compute.device import device_for, make_fabric, pick_precision
from cross_modal_kd.compute.folder import SUMS, clear_leftovers, file_in, parse_json, read_json, replaced, seal, verify
from cross_modal_kd.compute.lock import HeldError, Lock, guarded, write_whole

__all__ = [
    "SUMS",
    "HeldError",
    "Lock",
    "clear_leftovers",
    "csv_text",
    "device_for",
    "file_in",
    "guarded",
    "make_fabric",
    "parse_json",
    "pick_precision",
    "plain_text",
    "read_csv",
    "read_json",
    "replaced",
    "safe_text",
    "seal",
    "verify",
    "without_addresses",
    "write_csv",
    "write_whole",
]
