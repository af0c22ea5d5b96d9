"""A training on several devices: a process for each, which share every batch; this one waits, and hears of each epoch.

The processes come from a server that has imported this package once and has nothing of the run (``forkserver``): no
device, no thread and no lock is copied, nothing of the run's command is run again, and what they are given is sent to
them. They write nothing but the checkpoint and the best weights, which the first of them does; its log and its history
come back here, where MLflow is.
"""

import io
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing  # registers how tensors are sent: those on a CPU are shared, not copied
from safetensors.torch import load, save
from torch import Tensor, nn

from cross_modal_kd.compute import check_started, launcher, make_fabric, portable, shared
from cross_modal_kd.modalities import Item
from cross_modal_kd.training.checkpoint import load_state, save_state
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.launched import Job, share
from cross_modal_kd.training.loop import fit
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import Plan

logger = logging.getLogger(__name__)

GRACE_S = 3.0
"""For which ranks are waited that end by themselves, once one has failed or all are through."""
Row = dict[str, float]


def train(module: DistillationModule, data: TrainingData, plan: Plan) -> list[Row]:
    """``loop.fit``, on the devices that the plan's block ``compute`` says.

    Args:
        module: as of ``fit``; it has the best weights at the end, on the CPU where several devices have found them.
        data: the training split.
        plan: how the training runs; what its ``dev`` and ``augment`` hold is sent to other processes.

    Returns:
        The history, as of ``fit``.

    Raises:
        ValueError: as of ``fit``, and where something cannot be sent to another process.
        RuntimeError: a rank was ended from outside.
    """
    if not shared(plan.config.compute):
        return fit(module, data, plan, make_fabric(plan.config))
    module.cpu()  # where a training before has left it on a GPU, this process's own
    job = Job(module, data, plan, bool((data.labels < 0).any()) or leaves_unused(module.student, data))
    if launcher() is not None:
        return share(job)
    check_started(plan.config.compute)
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
        weights = Path(folder) / "weights.safetensors"
        sent = replace(job, plan=replace(plan, on_epoch=None))
        history = _Ranks(_Sent(sent, weights, torch.get_num_threads())).run(plan)
        module.load_state_dict(load_state(weights))
    module.eval()
    return history


def leaves_unused(student: nn.Module, data: TrainingData) -> bool:
    """Whether a network has trained parameters that have no part in its embeddings (a layer that is passed over).

    Args:
        student: on the CPU; it is run on two samples in evaluation mode, and is left as it was.
        data: of which two samples are read.

    Returns:
        True where a parameter has no gradient.
    """
    _, inputs = data.inputs.__getitems__([Item(0), Item(1)])
    trained, was_training = [each for each in student.parameters() if each.requires_grad], student.training
    student.eval()
    found = torch.autograd.grad(student(inputs).float().sum(), trained, allow_unused=True)
    student.train(was_training)
    return any(gradient is None for gradient in found)


@dataclass(frozen=True)
class _Sent:
    """What every rank is given. threads: of the process that asks, which the ranks share."""

    job: Job
    weights: Path
    threads: int

    def __reduce__(self) -> tuple[Any, ...]:
        stream = io.BytesIO()
        _Pickler(stream, self.job.module).dump((self.job, self.weights, self.threads))
        return _received, (stream.getvalue(),)


def _received(content: bytes) -> _Sent:
    return _Sent(*pickle.loads(content))  # noqa: S301 (what this process's own parent has made)


class _Pickler(ForkingPickler):
    """As processes are sent things, but for the tensors of a network, of which each process is to have its own.

    What is shared takes a file for each tensor, of which a new process can be handed some 250; a network may have more.
    """

    def __init__(self, stream: io.BytesIO, network: nn.Module) -> None:
        super().__init__(stream)
        self._own = {id(each) for each in (*network.parameters(), *network.buffers())}

    def reducer_override(self, value: Any) -> Any:
        """Pickle's way to ask how something is sent."""
        if id(value) not in self._own:
            return NotImplemented
        numbers = save({"": value.detach().contiguous()})
        return _tensor, (numbers, isinstance(value, nn.Parameter), value.requires_grad)


def _tensor(numbers: bytes, parameter: bool, trained: bool) -> Tensor:
    tensor = load(numbers)[""]
    return nn.Parameter(tensor, trained) if parameter else tensor


@dataclass(frozen=True)
class _Failed:
    """An error of a rank. at: when it was met, by the clock of the machine."""

    rank: int
    error: Exception
    where: str
    at: float


class _Ranks:
    """The processes of one training on this machine."""

    def __init__(self, sent: _Sent) -> None:
        self._sent, self._count = sent, sent.job.plan.config.compute.count
        self._processes: list[BaseProcess] = []
        self._readers: list[Connection] = []
        self._failed: list[_Failed] = []
        self._history: list[Row] | None = None

    def run(self, plan: Plan) -> list[Row]:
        """Start them, hear them to the end, leave none behind."""
        name = plan.description
        logger.info("%s: on %d processes that share every batch", name, self._count)
        torch.cuda.empty_cache()  # what this process keeps of the first GPU is the first rank's now; nothing on a CPU
        try:
            self._start()
            while self._readers and not self._failed:
                self._hear(plan, wait(self._readers))
            until = time.monotonic() + GRACE_S
            while self._readers and time.monotonic() < until:  # who failed first may not be heard first
                self._hear(plan, wait(self._readers, timeout=GRACE_S / 10))
            for process in self._processes:
                process.join(timeout=max(0.0, until - time.monotonic()))
            self._raise(name)
        finally:
            self._end()
        if self._history is None:
            raise RuntimeError(f"{name}: the first of its {self._count} processes has ended without a result")
        return self._history

    def _start(self) -> None:
        context = _context()
        address = {**free_port(), "NODE_RANK": "0"}
        for rank in range(self._count):
            reader, writer = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(rank, address, self._sent, writer), name=f"rank {rank}")  # type: ignore[attr-defined]
            try:
                process.start()
            except (AttributeError, TypeError, multiprocessing.ProcessError, ImportError) as error:
                raise _unsendable(error) from error
            except Exception as error:
                if "pickle" not in str(error).lower():
                    raise
                raise _unsendable(error) from error
            writer.close()
            self._readers.append(reader)
            self._processes.append(process)

    def _hear(self, plan: Plan, ready: list[Any]) -> None:
        for reader in ready:
            try:
                message = reader.recv()
            except (EOFError, OSError):
                self._readers.remove(reader)
                continue
            if isinstance(message, _Failed):
                self._failed.append(message)
            elif isinstance(message, logging.LogRecord):
                logging.getLogger(message.name).handle(message)
            elif isinstance(message, list):
                self._history = message
            elif plan.on_epoch is not None:
                plan.on_epoch(message, int(message["epoch"]))

    def _raise(self, name: str) -> None:
        """The error of the rank that was the first to fail; those of the others follow from it."""
        told = {failed.rank for failed in self._failed}
        for rank, process in enumerate(self._processes):
            if rank not in told and process.exitcode == 1:
                script = getattr(sys.modules["__main__"], "__file__", "the program")
                raise RuntimeError(
                    f"{name}: the process of rank {rank} (of {self._count}) has ended before it began; its own error "
                    f"stands above. Each process first reads {script}, and does what that does: what is not to be done "
                    'again must stand under `if __name__ == "__main__":` there. Or set compute.devices to 1'
                )
            if rank not in told and process.exitcode not in (0, None):
                raise RuntimeError(
                    f"{name}: the process of rank {rank} (of {self._count}) has ended with exit code "
                    f"{process.exitcode}; -9 is most often the kernel, where memory was full. The same command goes on "
                    "after the last whole epoch"
                )
        if self._failed:
            first = min(self._failed, key=lambda failed: failed.at)
            first.error.add_note(f"in rank {first.rank} of {self._count}:\n{first.where}")
            raise first.error

    def _end(self) -> None:
        for process in self._processes:
            if process.is_alive():
                process.terminate()
        until = time.monotonic() + GRACE_S
        for process in self._processes:
            process.join(timeout=max(0.0, until - time.monotonic()))
            if process.is_alive():  # it waits for another rank, and hears no signal
                process.kill()
                process.join()
        for reader in self._readers:
            reader.close()


def _unsendable(error: BaseException) -> ValueError:
    return ValueError(
        f"compute.devices: the training cannot be sent to other processes ({error}). What a network, an augmentation "
        "or a metric holds must be picklable: functions and classes of modules, no lambdas. Or set compute.devices to 1"
    )


def _context() -> BaseContext:
    """Where processes come from: of a server without threads or devices, where the platform has that."""
    ways = multiprocessing.get_all_start_methods()
    context = torch.multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
    if "forkserver" in ways:
        context.set_forkserver_preload([__name__, "cross_modal_kd.compute.fabric"])
    return context


def free_port() -> dict[str, str]:
    """Where ranks of this machine can meet.

    Returns:
        An address and a port that is free now, as the variables that torch reads.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}


def _run(rank: int, address: dict[str, str], sent: _Sent, writer: Connection) -> None:
    """One rank, in its own process."""
    for name in ("SIGINT", "SIGHUP"):  # the process that asks says when the end has come
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sender = _Sender(writer)
    try:
        os.environ |= {**address, "LOCAL_RANK": str(rank)}
        torch.set_num_threads(max(1, sent.threads // sent.job.plan.config.compute.count))
        with _speaking(sender if rank == 0 else None):
            history = _fitted(sent, sender)
        if rank == 0:
            sender.put_nowait(history)
    except Exception as error:
        sender.put_nowait(_Failed(rank, portable(error), traceback.format_exc(), time.time()))
        raise SystemExit(1) from None
    finally:
        writer.close()


def _fitted(sent: _Sent, sender: "_Sender") -> list[Row]:
    plan = replace(sent.job.plan, on_epoch=lambda row, _: sender.put_nowait(row))
    history = replace(sent.job, plan=plan).run()
    if torch.distributed.get_rank() == 0:
        save_state(sent.weights, sent.job.module.state_dict())
    torch.distributed.barrier()  # nobody leaves while another still waits for it
    torch.distributed.destroy_process_group()
    return history


def _end_with_parent() -> None:
    """End this process when the one that has asked for it is gone, whatever it does just then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Sender:
    """What a rank says, from whatever thread; nobody may be there any more to hear it."""

    def __init__(self, writer: Connection) -> None:
        self._writer, self._lock = writer, threading.Lock()

    def put_nowait(self, message: Any) -> None:
        """Send it. (The name is that of a queue, which ``QueueHandler`` asks for.)"""
        with self._lock, suppress(OSError):
            self._writer.send(message)


@contextmanager
def _speaking(sender: _Sender | None) -> Iterator[None]:
    """A context whose log goes to the process that asks, or, for ranks but the first, nowhere."""
    root, own = logging.getLogger(), logging.getLogger(__name__.partition(".")[0])
    root.handlers = [QueueHandler(sender) if sender is not None else logging.NullHandler()]  # type: ignore[arg-type]
    own.setLevel(logging.INFO)
    for fabric in ("lightning_fabric", "lightning.fabric"):  # has handlers of its own, and says that it begins
        logging.getLogger(fabric).handlers.clear()
        logging.getLogger(fabric).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        if sender is None:
            warnings.simplefilter("ignore")
        yield
