"""Where work runs: the one place that makes a Fabric, asks which device there is, and holds a folder for one writer.

Importing it imports neither torch nor lightning: both are imported when a device is asked for.
"""

from cross_modal_kd.compute.device import device_for, make_fabric, pick_precision
from cross_modal_kd.compute.folder import SUMS, clear_leftovers, file_in, read_json, replaced, seal, verify
from cross_modal_kd.compute.lock import HeldError, Lock, guarded, write_whole

__all__ = [
    "SUMS",
    "HeldError",
    "Lock",
    "clear_leftovers",
    "device_for",
    "file_in",
    "guarded",
    "make_fabric",
    "pick_precision",
    "read_json",
    "replaced",
    "seal",
    "verify",
    "write_whole",
]
