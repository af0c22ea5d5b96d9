"""Who does a long work: this process, or the tasks of a Ray cluster, each a part of it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from cross_modal_kd.config import ComputeConfig

if TYPE_CHECKING:
    import pandas as pd

Item = TypeVar("Item")
Result = TypeVar("Result")
Advance = Callable[[int], object]
OverRows = Callable[["pd.DataFrame", Advance], Iterable[Result]]


class EngineError(RuntimeError):
    """A cluster that does not answer, or workers that die: the message says where, and what to do."""


def unseen(rows: int) -> None:
    """Progress that nobody looks at.

    Args:
        rows: more of them are done.
    """


class Engine(Protocol):
    """How work is shared out. What is given must be what ``cloudpickle`` can send; both engines give the same."""

    def require(self) -> None:
        """Make sure that work could be handed out. Raises EngineError where it could not."""
        ...

    def over(
        self,
        work: OverRows[Result],
        rows: "pd.DataFrame",
        part: int,
        advance: Advance = unseen,
        on_gpu: bool = False,
    ) -> Iterator[Result]:
        """Work on the rows of a table.

        Args:
            work: (some of the rows, advance) -> results; it says with ``advance`` how many rows are done.
            rows: all of them.
            part: rows of a task, where there are tasks.
            advance: told how many more rows are done.
            on_gpu: whether a task asks for ``compute.task_gpus``.

        Returns:
            All results, in any order.
        """
        ...

    def each(self, work: Callable[[Item], Result], items: Iterable[Item], on_gpu: bool = False) -> Iterator[Result]:
        """Work on items, each a task where there are tasks.

        Args:
            work: an item -> its result.
            items: what is worked on.
            on_gpu: whether a task asks for ``compute.task_gpus``.

        Returns:
            A result an item, as they come.
        """
        ...


class Local:
    """Everything in this process, one after the other."""

    def require(self) -> None:
        """This process is there; see ``Engine.require``."""

    def over(
        self,
        work: OverRows[Result],
        rows: "pd.DataFrame",
        part: int,  # noqa: ARG002
        advance: Advance = unseen,
        on_gpu: bool = False,  # noqa: ARG002
    ) -> Iterator[Result]:
        """All rows at once; see ``Engine.over``."""
        yield from work(rows, advance)

    def each(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        on_gpu: bool = False,  # noqa: ARG002
    ) -> Iterator[Result]:
        """One item after the other, when it is asked for; see ``Engine.each``."""
        yield from map(work, items)


LOCAL = Local()


def engine_of(compute: ComputeConfig) -> Engine:
    """The engine that the configuration asks for.

    Args:
        compute: ``engine``, and for a cluster the rest of the block.

    Returns:
        The engine; a cluster is connected to when it is first given work.
    """
    if compute.engine == "local":
        return LOCAL
    from cross_modal_kd.compute.cluster import Cluster

    return Cluster(compute)
