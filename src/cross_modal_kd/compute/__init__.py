"""Where work runs: the one place that makes a Fabric and asks which device there is, or hands parts of the work to Ray.

Importing it imports neither torch nor lightning nor Ray: they are imported when a device or a cluster is asked for.
"""

from cross_modal_kd.compute.cores import cores, workers_by_cores
from cross_modal_kd.compute.device import (
    check_started,
    device_for,
    launcher,
    make_fabric,
    pick_precision,
    repeatable,
    shared,
)
from cross_modal_kd.compute.engine import LOCAL, Engine, EngineError, engine_of
from cross_modal_kd.compute.memory import kept_memory
from cross_modal_kd.compute.portable import RAISED_IN, portable
from cross_modal_kd.compute.progress_bar import progress_bar

__all__ = [
    "LOCAL",
    "RAISED_IN",
    "Engine",
    "EngineError",
    "check_started",
    "cores",
    "device_for",
    "launcher",
    "engine_of",
    "kept_memory",
    "make_fabric",
    "pick_precision",
    "portable",
    "progress_bar",
    "repeatable",
    "shared",
    "workers_by_cores",
]
