"""Where work runs: the one place that makes a Fabric, and that asks which device there is.

Importing it imports neither torch nor lightning: both are imported when a device is asked for.
"""

from cross_modal_kd.compute.device import device_for, make_fabric, pick_precision
from cross_modal_kd.compute.folder import file_in, read_json, replaced

__all__ = ["device_for", "file_in", "make_fabric", "pick_precision", "read_json", "replaced"]
