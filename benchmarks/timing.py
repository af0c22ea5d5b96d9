"""What the benchmarks share: work that takes turns with its peer, their ratio with its spread, tables, the machine.

Seconds differ from machine to machine and from minute to minute. A ratio of two that are timed one right after the
other differs less: what else the machine does falls on both.
"""

import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

Work = Callable[[], Any]
Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Beside:
    """Seconds of some work and of its peer, round by round; the two of a round were timed one after the other."""

    work: list[float]
    peer: list[float]

    def __add__(self, other: "Beside") -> "Beside":
        """The rounds of both."""
        return Beside(self.work + other.work, self.peer + other.peer)

    @property
    def ratios(self) -> list[float]:
        """Work over peer, of each round."""
        return [one / other for one, other in zip(self.work, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the ratio; where there are fewer than four rounds, the least and the largest."""
        if len(self.ratios) < 4:
            return min(self.ratios), max(self.ratios)
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    def cells(self, goal: float | None = None) -> list[str]:
        """Milliseconds of both (medians), the ratio with its spread, and ``!`` where it is above the goal."""
        low, high = self.spread
        missed = " !" if goal is not None and self.ratio > goal else ""
        times = [f"{1000 * statistics.median(each):,.4g} ms" for each in (self.work, self.peer)]
        return [*times, f"{self.ratio:.3f} ({low:.3f} to {high:.3f}){missed}"]


def beside(works: dict[str, tuple[Work, Work]], rounds: int, clock: Clock = time.perf_counter) -> dict[str, Beside]:
    """Time each work and its peer in turn; who is first changes with the round. The first round is not counted.

    Args:
        works: by name, the work and what it is compared with.
        rounds: that are counted.
        clock: in seconds.

    Returns:
        By name, the seconds of both.
    """
    taken = {name: Beside([], []) for name in works}
    for number in range(rounds + 1):
        for name, pair in works.items():
            seconds = [0.0, 0.0]
            for place in (0, 1) if number % 2 else (1, 0):
                seconds[place] = timed(pair[place], clock)
            if number:
                taken[name].work.append(seconds[0])
                taken[name].peer.append(seconds[1])
    return taken


class Elsewhere:
    """Work of a process of its own, forked off here, which nothing that another one sets for itself reaches.

    Args:
        make: of a module that can be imported: (*given) -> the work.
        *given: what can be sent to another process.
    """

    def __init__(self, make: Callable[..., Work], *given: Any) -> None:
        self._process = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), _make, (make, given))

    def __call__(self, clock: Clock = time.perf_counter) -> float:
        """Seconds that the work takes there, by its own clock."""
        return self._process.submit(_timed_there, clock).result()


def timed(work: Work, clock: Clock) -> float:
    """Seconds that the work takes once."""
    if isinstance(work, Elsewhere):
        return work(clock)
    started = clock()
    work()
    return clock() - started


_there: list[Work] = []


def _make(make: Callable[..., Work], given: tuple[Any, ...]) -> None:
    _there.append(make(*given))


def _timed_there(clock: Clock) -> float:
    return timed(_there[0], clock)


def repeated(work: Work, times: int) -> Work:
    """() -> the work so many times, where once is too short for a clock."""

    def run() -> None:
        for _ in range(times):
            work()

    return run


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table in Markdown, each as it is there."""
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def machine(*packages: str) -> str:
    """The processor, its cores, and versions, in a line."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def processor() -> str:
    """Its name, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
