"""The kinds of task. Importing this room loads neither torch nor matplotlib: methods import what they need."""

from cross_modal_kd.tasks.kind import TaskKind
from cross_modal_kd.tasks.registry import KINDS, kind_named, kind_of

__all__ = ["KINDS", "TaskKind", "kind_named", "kind_of"]
