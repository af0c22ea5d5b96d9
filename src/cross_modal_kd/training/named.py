"""Classes named by words, where no sample shows one or few do (imports torch: reached from nodes only)."""

import hashlib
import logging

import numpy as np
import pandas as pd

from cross_modal_kd.config import ConfigError, TaskConfig
from cross_modal_kd.metrics import alike_rows
from cross_modal_kd.models import ModelBundle, saved_inputs
from cross_modal_kd.samples import EmbeddingTable, first_few, known_classes, train_classes, words_of
from cross_modal_kd.tasks import names_classes, require_words, require_words_beside
from cross_modal_kd.training.teacher import teacher_embeddings

logger = logging.getLogger(__name__)


def class_words(
    samples: pd.DataFrame, told: pd.DataFrame, task: TaskConfig, teacher_model: ModelBundle, beside: int = 0
) -> EmbeddingTable | None:
    """The raw embeddings of the words of each class, where they have to stand for labels, or are to stand beside them.

    Projected, they are what a zero-shot classifier is made of (Radford et al., ICML 2021). No label of any training
    sample decides them: that the classes are these is all that is known.

    Args:
        samples: the samples table, which says which classes there are.
        told: the same as a training is told it: its labels may be held back.
        task: its kind, and the teacher's modality.
        teacher_model: of ``pretrained_teacher`` or ``train_teacher``.
        beside: ``projection.words``: above 0 they are asked for where labels are known too.

    Returns:
        (C, D), by the names of the classes, in the order of ``known_classes``; None where a training sample is told its
        label and nothing is to stand beside it, or where no class has to be named.

    Raises:
        ConfigError: words are asked for, and the task names no classes, or the teacher reads no words of them; or they
            stand alone, and it reads two alike: letters of a script that it does not know are all the same to it, and
            often those of either case.
    """
    alone = names_classes(task) and not train_classes(told, task)
    if alone:
        require_words(task)
    elif beside:
        require_words_beside(task, beside)
    else:
        return None
    classes = known_classes(samples, task)
    words = [words_of(name) for name in classes]
    if numbers := [name for name in classes if not any(letter.isalpha() for letter in name)]:
        known_by = "a class is known by its name alone" if alone else "they are taken for words (projection.words)"
        logger.warning(
            f"task {task.name}: {len(numbers)} of {len(classes)} classes have no letter in their names "
            f"({first_few(numbers)}), and {'where no training sample has a label ' if alone else ''}{known_by}: "
            "call them by words"
        )
    asked = pd.DataFrame({"sample_id": classes, "modality": task.teacher, "text": words})
    asked = asked.reindex(columns=samples.columns)
    values = teacher_embeddings(asked, task, {}, saved_inputs(teacher_model), teacher_model, "cpu")
    same = pd.Series(alike_rows(values)).duplicated(keep=False).to_numpy()
    if alone and same.any():
        raise ConfigError(
            f"task {task.name}: classes are named by their words where no training sample has a label, and the teacher "
            f"reads {first_few(np.array(classes)[same].tolist())} alike: give each a name of its own, in a script that "
            "it knows"
        )
    digest = hashlib.sha256("\0".join(classes).encode() + values.tobytes()).hexdigest()
    return EmbeddingTable(classes, values, digest)


def no_better_than_chance(words: EmbeddingTable, top1: float | None, samples: int) -> str:
    """What is to be warned of where the words of the classes say nothing of them; empty where they do.

    p = 1 / C of the answers are right by chance; up to p + 2 sqrt(p (1 - p) / n) of n is taken for it.

    Args:
        words: of ``class_words``, of C classes.
        top1: share of the teacher's dev samples whose class the words tell; None where it is not defined.
        samples: n, how many these are.

    Returns:
        A sentence without its end.
    """
    chance = 1 / len(words.sample_ids)
    if top1 is None or top1 > chance + 2 * (chance * (1 - chance) / max(samples, 1)) ** 0.5:
        return ""
    return (
        f"by the names of the {len(words.sample_ids)} classes ({first_few(list(words.sample_ids))}) the teacher tells "
        f"{100 * top1:.1f} % of its {samples} dev samples right, and chance {100 * chance:.1f} %: a student that is "
        "told the names alone learns nothing of the classes. Call them by words that the teacher knows, or give some "
        "samples a label"
    )
