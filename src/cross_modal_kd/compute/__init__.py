"""Where work runs: the one place that makes a Fabric and asks which device there is; and how far the work is.

Importing it imports neither torch nor lightning: both are imported when a device is asked for.
"""

from cross_modal_kd.compute.cores import cores, workers_by_cores
from cross_modal_kd.compute.device import (
    device_for,
    devices_of,
    launcher,
    make_fabric,
    pick_precision,
    repeatable,
    shared,
)
from cross_modal_kd.compute.progress_bar import progress_bar

__all__ = [
    "cores",
    "device_for",
    "devices_of",
    "launcher",
    "make_fabric",
    "pick_precision",
    "progress_bar",
    "repeatable",
    "shared",
    "workers_by_cores",
]
