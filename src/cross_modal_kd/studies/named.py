"""A classification without any label: its classes named by words (imports torch: reached from nodes only)."""

import re

import pandas as pd

from cross_modal_kd.config import ConfigError, TaskConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle, project, with_prototypes
from cross_modal_kd.samples import train_classes
from cross_modal_kd.studies.context import Context
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import teacher_embeddings


def names_classes(task: TaskConfig) -> bool:
    """Whether a student has to name one of known classes, so that without a label words have to stand for them.

    Args:
        task: its kind counts.

    Returns:
        True for a classification; a verification compares two samples, and names none.
    """
    return kind_of(task).design.closed_set


def words_of(name: str) -> str:
    """What a teacher of words is asked for a class.

    Args:
        name: of the class, as the samples table has it.

    Returns:
        Its words, with blanks for the signs that file names have between them.

    >>> words_of("face-smiling"), words_of("sky_&_weather"), words_of("n02085620")
    ('face smiling', 'sky & weather', 'n02085620')
    """
    return re.sub(r"[-_\s]+", " ", name).strip() or name


def named_projection(context: Context) -> ModelBundle:
    """The fixed projection with the words of each class for its prototype: w_c = normalise(g(teacher(words of c))).

    What a zero-shot classifier is made of (Radford et al., ICML 2021), in the student's space. No label of any sample
    decides it, nor the directions of the projection: that the classes are these is all that is known.

    Args:
        context: of the studies; its samples say which classes there are.

    Returns:
        A projection of the context's fixed kind, whose C prototypes are in the order of ``train_classes``.

    Raises:
        ConfigError: the teacher reads no words, or its words are of other things than the student's samples.
    """
    task, about = context.task, context.configuration
    if not modality_of(task.teacher).words or task.chimeric:
        why = "pairs are chimeric" if modality_of(task.teacher).words else f"its modality is {task.teacher}"
        raise ConfigError(
            f"a share of 0 leaves the task {task.name} no label, and a {task.kind} then names its classes by their "
            f"words: expected a teacher of words, paired with what they are of; {why}. Leave 0 out of "
            "regimes.labels.shares and tuning.labelled.shares"
        )
    classes = train_classes(context.samples, task)
    asked = pd.DataFrame({"sample_id": classes, "modality": task.teacher, "text": [words_of(each) for each in classes]})
    asked = asked.reindex(columns=context.samples.columns)
    on = about.training.compute.accelerator
    raw = teacher_embeddings(asked, task, about.sources, about.inputs, context.teacher_model, on)
    return with_prototypes(context.projection_pca, classes, project(context.projection_pca, raw))
