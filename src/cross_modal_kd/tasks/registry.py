"""The kinds of task by name."""

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.tasks.classification import Classification
from cross_modal_kd.tasks.kind import TaskKind
from cross_modal_kd.tasks.verification import Verification

KINDS: dict[str, TaskKind] = {kind.name: kind for kind in (Verification(), Classification())}


def kind_of(task: TaskConfig) -> TaskKind:
    """The kind of a task, as its block of parameters names it.

    Args:
        task: its ``kind`` is read.

    Returns:
        The one object of that kind; it holds no state.
    """
    return kind_named(task.kind)


def kind_named(name: str) -> TaskKind:
    """The kind of that name.

    Args:
        name: verification or classification.

    Returns:
        The one object of that kind; it holds no state.

    Raises:
        KeyError: there is none of that name; the message lists those there are.
    """
    if name not in KINDS:
        raise KeyError(f"task.kind: no kind of task is called {name!r}; there are: {', '.join(KINDS)}")
    return KINDS[name]
