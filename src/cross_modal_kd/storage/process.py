"""Which process this is, so that another one can say whose a run or a lock is, and whether that process is dead."""

import getpass
import os
import platform
from collections.abc import Mapping
from pathlib import Path

HOST, PID, STARTED = "process.host", "process.pid", "process.started"


def process_facts() -> dict[str, str]:
    """This process, told apart from every other, later ones with its number included.

    Returns:
        Flat texts, fit to be tags: ``process.host``, ``process.pid``, ``process.started``.
    """
    return {HOST: _host(), PID: str(os.getpid()), STARTED: f"{_started(os.getpid()):.0f}"}


def is_dead(facts: Mapping[str, str]) -> bool:
    """Whether it is certain that a process is no more.

    Args:
        facts: of ``process_facts``, perhaps of another machine.

    Returns:
        True for a process of this machine that has ended; False where it runs, or cannot be asked about from here.
    """
    import psutil

    if facts.get(HOST) != _host() or not facts.get(PID, "").isdigit():
        return False
    try:
        # a clock that was set moves the starts of all processes a little
        return abs(_started(int(facts[PID])) - float(facts.get(STARTED, "nan"))) > 60
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, ValueError):
        return False


def user() -> str:
    """Who runs this process.

    Returns:
        The name of the account; ``unknown`` in a container whose user has none.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _host() -> str:
    """The machine's name, and the space in which its process numbers count: containers have their own."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def _started(pid: int) -> float:
    import psutil

    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    return process.create_time()
