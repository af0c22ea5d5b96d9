"""How many processes may work at a time."""

import os
from pathlib import Path

MOST_WORKERS = 16
QUOTA = Path("/sys/fs/cgroup/cpu.max")

_given: int | None = None


def cores() -> int:
    """Cores that this process may use: of the machine, less what an affinity or a container's quota takes away.

    Returns:
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    here = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(here, _quota() or here, _given or here))


def share_cores(given: int) -> None:
    """Be content with fewer cores than the machine has, as a task among others.

    Args:
        given: what ``cores`` is at most from now on, above 0.
    """
    global _given
    _given = given


def workers_by_cores() -> int:
    """Processes that read inputs beside the one that trains.

    Returns:
        All cores but one, at most 16; 0 where there are two cores or one, which the training needs itself.
    """
    there = cores()
    return 0 if there <= 2 else min(there - 1, MOST_WORKERS)


def _quota() -> int | None:
    """Whole cores of a container's quota (cgroup 2); None where there is none."""
    try:
        allowed, period = QUOTA.read_text(encoding="ascii").split()
        return None if allowed == "max" else max(1, int(allowed) // int(period))
    except (OSError, ValueError):
        return None
