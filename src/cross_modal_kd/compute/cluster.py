"""Work as the tasks of a Ray cluster. Importing this imports no Ray: it comes with the first work."""

import logging
import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cross_modal_kd.compute.cores import cores, share_cores
from cross_modal_kd.compute.engine import Advance, EngineError, Item, OverRows, Result, unseen
from cross_modal_kd.compute.portable import RAISED_IN, portable
from cross_modal_kd.config import ComputeConfig
from cross_modal_kd.tracking import current_run, joined_run

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_COLOR_PREFIX": "0"}
# Of what cannot be pickled.
NOT_SENT = (TypeError, AttributeError, pickle.PicklingError)
KNOCK_S = 10.0
AHEAD = 2
"""Tasks that wait for each that can run, so that no worker waits for this process."""


class Cluster:
    """The engine ``ray``: this process hands out the work and takes what comes of it.

    Args:
        compute: the cluster's address, what a task asks for, and how often it is tried again.
    """

    def __init__(self, compute: ComputeConfig) -> None:
        self._compute = compute

    def require(self) -> None:
        """Make sure that the cluster answers and has a task's cores.

        A Ray of this machine's own starts with the first work.

        Raises:
            EngineError: it does not, or has not.
        """
        if self._compute.address is None:
            self._require({"CPU": float(cores())}, 0)
        else:
            self._require(connected(self._compute).cluster_resources(), 0)

    def over(
        self,
        work: OverRows[Result],
        rows: "pd.DataFrame",
        part: int,
        advance: Advance = unseen,
        on_gpu: bool = False,
    ) -> Iterator[Result]:
        """A task for every ``part`` rows; see ``Engine.over``."""
        parts = (rows.iloc[start : start + part] for start in range(0, len(rows), part))
        for found, done in self.each(partial(_over_part, work), parts, on_gpu):
            advance(done)
            yield from found

    def each(self, work: Callable[[Item], Result], items: Iterable[Item], on_gpu: bool = False) -> Iterator[Result]:
        """A task for every item; what is left is called off when one has failed; see ``Engine.each``."""
        ray, compute = connected(self._compute), self._compute
        gpus = compute.task_gpus if on_gpu else 0
        task = ray.remote(_task).options(
            name="task",
            num_cpus=compute.task_cpus,
            num_gpus=gpus,
            max_retries=compute.retries,
            retry_exceptions=False,
        )
        self._require(ray.cluster_resources(), gpus)
        with _sendable():
            shared, caller, left = [ray.put(work)], Caller.here(compute), iter(items)
        waiting: list[Any] = []
        try:
            while True:
                most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1) / compute.task_cpus))
                for item in islice(left, most - len(waiting)):
                    with _sendable():
                        waiting.append(task.remote(shared, item, caller))
                if not waiting:
                    return
                (done,), waiting = ray.wait(waiting, num_returns=1)
                yield self._result(ray, done)
        finally:
            for each in waiting:
                ray.cancel(each, force=True)

    def _require(self, there: dict[str, float], gpus: float) -> None:
        """Refuse work that would wait for ever."""
        for name, asked, found in (
            ("task_cpus", self._compute.task_cpus, there.get("CPU", 0.0)),
            ("task_gpus", gpus, there.get("GPU", 0.0)),
        ):
            if asked > found:
                kind = name.removeprefix("task_").upper()
                raise EngineError(
                    f"compute.{name} is {asked:g}, and the cluster has {found:g} {kind} in all: ask for less, or add "
                    "machines to it (`ray status` shows them)"
                )

    def _result(self, ray: Any, done: Any) -> Any:
        try:
            return ray.get(done)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, NOT_SENT) and not hasattr(error.cause, RAISED_IN):  # not of the work: of Ray
                raise EngineError(_unsendable("what a task has made", error.cause)) from error
            raise error.cause from error  # Ray's has the traceback of the worker
        except ray.exceptions.RayError as error:
            raise EngineError(
                f"the worker of a task has died {self._compute.retries + 1} times (compute.retries is "
                f"{self._compute.retries}): {str(error).splitlines()[0]} Its machine may be out of memory (let a task "
                "ask for more compute.task_cpus, so that fewer run at once) or gone (`ray status`). What is finished "
                "is kept: the same command goes on from there"
            ) from error


@dataclass(frozen=True)
class Caller:
    """What a task must know of the process that it works for.

    Attributes:
        folder: in which that process runs, which all machines share.
        run_id: of its tracked run, if there is one.
        tracking_uri: of the run's server or database.
        task_cpus: cores of the task.
    """

    folder: Path
    run_id: str | None
    tracking_uri: str
    task_cpus: float

    @classmethod
    def here(cls, compute: ComputeConfig) -> "Caller":
        """This process.

        Args:
            compute: what a task asks for.

        Returns:
            The caller.
        """
        run = current_run()
        return cls(Path.cwd(), run.run_id if run else None, run.tracking_uri if run else "", compute.task_cpus)


def connected(compute: ComputeConfig) -> Any:
    """Ray, connected to the cluster; the connection, and a Ray that was started here, last until this process ends.

    Args:
        compute: the cluster's address.

    Returns:
        The module ``ray``.

    Raises:
        EngineError: nothing answers at the address.
    """
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    import ray

    if ray.is_initialized():
        return ray
    options: dict[str, Any] = {"configure_logging": False, "log_to_driver": True}
    if compute.address is None:
        own: dict[str, Any] = {"num_cpus": cores(), "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        with sigterm_kept():
            ray.init(address="local", **own, **options)
        return ray
    try:
        _knock(compute.address)
        with sigterm_kept():
            ray.init(address=compute.address, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(
            f"compute.address {compute.address!r}: no Ray cluster answers ({error}). Start one with `ray start "
            "--head`, correct the address, set RAY_AUTH_MODE=token if the cluster asks for its token, or set "
            "compute.address to null, which starts a Ray of this machine's own"
        ) from error
    logger.info("Ray at %s has %g CPUs and %g GPUs", compute.address, *map(_there(ray).get, ("CPU", "GPU")))
    return ray


@contextmanager
def _sendable() -> Iterator[None]:
    """Within it something is sent to other processes. Raises EngineError where it cannot be."""
    try:
        yield
    except NOT_SENT as error:
        raise EngineError(_unsendable("the work", error.__cause__ or error)) from error


def _unsendable(what: str, why: BaseException) -> str:
    return (
        f"compute.engine ray: {what} cannot be sent to other processes ({str(why).splitlines()[0]}). What an encoder, "
        "an augmentation or a metric holds or gives must be picklable: no locks, open files or connections. Or set "
        "compute.engine to local"
    )


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Within it Ray begins or ends: it puts its own handler of SIGTERM, and takes away whatever one there is."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _knock(address: str) -> None:
    """OSError where nothing listens at an address of host and port: Ray would wait there for many minutes."""
    address = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _there(ray: Any) -> dict[str, float]:
    return {"CPU": 0.0, "GPU": 0.0} | ray.cluster_resources()


_held: dict[str, Any] = {}


def _task(shared: list[Any], item: Any, caller: Caller) -> Any:
    """What a worker does; the work itself is held between tasks, since it may hold the inputs of a training."""
    import ray

    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("cross_modal_kd").setLevel(logging.INFO)
    if not caller.folder.is_dir():
        raise EngineError(
            f"{os.uname().nodename} has no folder {caller.folder}: all machines of the cluster need the project's "
            "folder and its data under the same path, on a file system that they share (docs/scale.md)"
        )
    os.chdir(caller.folder)
    share_cores(max(1, int(caller.task_cpus)))
    key = shared[0].hex()
    if key not in _held:
        _held.clear()
        _held[key] = ray.get(shared[0])
    with joined_run(caller.run_id, caller.tracking_uri, caller.folder / "logs"):
        try:
            return _held[key](item)
        except Exception as error:
            if (sent := portable(error)) is error:
                raise
            raise sent from error


def _over_part(work: OverRows[Result], rows: "pd.DataFrame") -> tuple[list[Result], int]:
    """All results of a part of the rows, and how many rows were done."""
    done: list[int] = []
    return list(work(rows, done.append)), sum(done)
