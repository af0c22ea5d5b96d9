"""Inputs read ahead by processes of their own, or in this one: the same numbers, and errors in the same words."""

import logging
import signal
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset

from cross_modal_kd.compute import portable, workers_by_cores
from cross_modal_kd.modalities import Inputs, Item
from cross_modal_kd.samples import read_before
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

PARTS = 8
"""Of a batch that is embedded: each is read by one worker."""
GRACE_S = 0.5
"""For which a signal may be on its way that has ended a worker before it reached this process."""


def workers_for(inputs: Inputs, workers: int | None) -> int:
    """How many processes read inputs.

    Args:
        inputs: to be read.
        workers: as ``training.workers``.

    Returns:
        The number that is given; for None 0 where the inputs are kept in memory, else by the cores.
    """
    return workers if workers is not None else 0 if inputs.kept else workers_by_cores()


def described(inputs: Inputs, workers: int) -> str:
    """Where inputs come from, in words.

    Args:
        inputs: to be read.
        workers: that read them.

    Returns:
        A line: how many inputs, how large decoded, kept in memory or read by whom.
    """
    size = "" if inputs.size_bytes is None else f" of {_size(inputs.size_bytes)}, decoded"
    who = "in this process" if not workers else f"by {how_many(workers, 'worker')}"
    where = "kept in memory" if inputs.kept else "not kept in memory (inputs.cache_mb), read as they are needed"
    return f"{how_many(len(inputs), 'input')}{size}: {where}{'' if inputs.kept and not workers else f' {who}'}"


def _size(count: int) -> str:
    """Bytes in words."""
    unit, power = next(pair for pair in (("GB", 3), ("MB", 2), ("kB", 1)) if pair[1] == 1 or count >= 1024 ** pair[1])
    return f"{count / 1024**power:.3g} {unit}"


class InputLoader:
    """Batches of raw inputs, as a sampler orders them. To be closed.

    waited: seconds for which batches were waited, all passes together.

    Args:
        inputs: what is read; what is random about it comes in with the items.
        batches: of items, anew at each pass; read by this process alone.
        workers: processes that read ahead, from the first pass on, until ``close``; 0 reads in this one.
        pinned: whether batches are put where a GPU copies from while others are computed.
    """

    def __init__(self, inputs: Inputs, batches: Iterable[list[Item]], workers: int = 0, pinned: bool = False) -> None:
        self.waited = 0.0
        self._coming: Iterator[Any] | None = None
        self._workers, self._pinned = workers, pinned
        self._inputs, self._batches = _Guarded(inputs), batches
        self._loader = DataLoader(
            self._inputs,
            batch_sampler=batches,
            collate_fn=_as_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pinned,
            worker_init_fn=_begin,
            generator=Generator(),  # not torch's own, of which persistent workers would take less than a process alone
        )

    def ahead(self) -> None:
        """Have workers begin with the next pass now; without workers nothing is read ahead."""
        if self._workers:
            self._coming = iter(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass: (indices (B,), inputs (B, ...)) of each batch."""
        begun = time.perf_counter()
        coming, self._coming = self._coming or self._begun(), None
        while True:
            found = next(coming, None)
            self.waited += time.perf_counter() - begun
            if found is None:
                return
            if isinstance(found, _Failure):
                _raise(found)
            yield found
            begun = time.perf_counter()

    def _begun(self) -> Iterator[Any]:
        """A pass; torch's loader has no part in it where neither workers nor memory of its own are asked for."""
        if self._workers or self._pinned:
            return iter(self._loader)
        return map(self._inputs.__getitems__, self._batches)

    def close(self) -> None:
        """End the workers."""
        self._coming = None
        running, self._loader._iterator = self._loader._iterator, None
        if self._workers and running is not None:
            running._shutdown_workers()  # type: ignore[attr-defined]  # else a traceback would keep them


def read_in_order(inputs: Inputs, batch_size: int, workers: int | None = None) -> Iterator[Tensor]:
    """All inputs, for evaluation.

    Args:
        inputs: N of them.
        batch_size: at a time.
        workers: as ``training.workers``.

    Yields:
        (B, ...) each; the last may be smaller.
    """
    count = workers_for(inputs, workers)
    loader = InputLoader(inputs, _InOrder(len(inputs), batch_size, PARTS if count else 1), count)
    parts: list[Tensor] = []
    with lost_workers(count):
        try:
            for indices, part in loader:
                parts.append(part)
                if sum(map(len, parts)) == batch_size or int(indices[-1]) == len(inputs) - 1:
                    yield parts[0] if len(parts) == 1 else torch.cat(parts)
                    parts.clear()
        finally:
            loader.close()


@contextmanager
def lost_workers(workers: int) -> Iterator[None]:
    """A context in which a worker that was killed is an error that says what to do.

    torch raises it wherever this process is at that moment.

    Args:
        workers: how many there are.

    Yields:
        Nothing.

    Raises:
        RuntimeError: a worker has ended by itself.
    """
    try:
        yield
    except (RuntimeError, EOFError, ConnectionError) as error:
        if not workers or not _of_a_worker(error):
            raise
        if isinstance(error.__context__, SystemExit | KeyboardInterrupt):
            raise error.__context__ from None  # this process was asked to end, and its workers were too
        time.sleep(GRACE_S)
        raise RuntimeError(
            f"a worker that reads inputs has ended ({error}). Most often memory or shared memory is full (/dev/shm; in "
            f"a container, --shm-size=8g). Set training.workers lower: there are {workers}, and 0 reads in the "
            "training's own process. The same command goes on after the last whole epoch"
        ) from error


def _of_a_worker(error: Exception) -> bool:
    """Whether torch says so, or a batch was half handed over when its worker ended."""
    if isinstance(error, RuntimeError):
        return "DataLoader worker" in str(error)
    return any("multiprocessing" in frame.filename for frame in traceback.extract_tb(error.__traceback__))


@dataclass(frozen=True)
class _Failure:
    """An error in place of a batch. where: the traceback of a worker, which no other process can be given."""

    error: Exception
    where: str = ""


class _Guarded(Dataset):
    """Inputs whose errors come back as values: torch would make other errors of them, out of a worker's traceback."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def __getitem__(self, item: Item) -> Any:
        return self.__getitems__([item])

    def __getitems__(self, items: list[Item]) -> Any:
        try:
            return self._inputs.__getitems__(items)
        except Exception as error:
            if torch.utils.data.get_worker_info() is None:
                return _Failure(error)
            return _Failure(portable(error), traceback.format_exc())


@dataclass(frozen=True)
class _InOrder:
    """Batches of ``count`` items for evaluation, each in so many parts."""

    count: int
    size: int
    parts: int

    def __iter__(self) -> Iterator[list[Item]]:
        step = -(-self.size // self.parts)
        for start in range(0, self.count, self.size):
            end = min(start + self.size, self.count)
            for first in range(start, end, step):
                yield [Item(row) for row in range(first, min(first + step, end))]


def _raise(failure: _Failure) -> NoReturn:
    """Raise an error of a file with what to do; any other as it is."""
    error = failure.error
    if failure.where:
        error.add_note(f"in a worker that reads inputs:\n{failure.where}")
    with read_before():
        raise error


def _as_is(batch: Any) -> Any:
    return batch


def _begin(_: int) -> None:
    """In a worker: the process that trains says when the end has come, by a key or a closed terminal too."""
    for name in ("SIGINT", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
