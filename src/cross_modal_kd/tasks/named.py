"""Tasks whose students name one of known classes: without a label, the words of the classes have to stand for them."""

from cross_modal_kd.config import ConfigError, TaskConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.tasks.registry import kind_of


def names_classes(task: TaskConfig) -> bool:
    """Whether a student has to name one of known classes.

    Args:
        task: its kind counts.

    Returns:
        True for a classification; a verification compares two samples, and names none.
    """
    return kind_of(task).design.closed_set


def lacks_words(task: TaskConfig) -> str:
    """Why the teacher cannot say what a class is called; empty where it can.

    Args:
        task: its modalities, and whether its pairs are chimeric.

    Returns:
        A sentence without its end.
    """
    if not modality_of(task.teacher).words:
        return f"a teacher of modality {task.teacher} reads none"
    return "pairs are chimeric, so that the teacher's words are of other things" if task.chimeric else ""


def require_words(task: TaskConfig) -> None:
    """Make sure that classes can be named where no training sample has a label.

    Args:
        task: of a kind that names classes, or of any other.

    Raises:
        ConfigError: a student has to name one, and the teacher cannot say what it is called.
    """
    if names_classes(task) and (lacking := lacks_words(task)):
        raise ConfigError(
            f"task {task.name}: no training sample has a label that is known, and a {task.kind} then names its "
            f"classes by their words, but {lacking}. Give some samples a label, let the training know some "
            "(distillation.labelled.share, regimes.labels.shares, tuning.labelled.shares above 0), or verify "
            "(`task.kind: verification`)"
        )


def require_words_beside(task: TaskConfig, count: int) -> None:
    """Make sure that the words of the classes can stand beside labels.

    Args:
        task: its kind, its teacher, and whether its pairs are chimeric.
        count: ``projection.words``; 0 asks for none.

    Raises:
        ConfigError: they are asked for, and there are no classes to name, or nobody who reads their words.
    """
    lacking = lacks_words(task) if names_classes(task) else f"a {task.kind} names no classes"
    if count and lacking:
        raise ConfigError(f"projection.words is {count}, but {lacking}: set it to 0")
