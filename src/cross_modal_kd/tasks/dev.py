"""Names of the dev metrics."""

from cross_modal_kd.config.task import TaskConfig


def chosen_by(task: TaskConfig) -> str:
    """Name of the dev metric of a task: ``eer`` (smaller is better) or ``top1`` (larger)."""
    return "eer" if task.kind == "verification" else "top1"
