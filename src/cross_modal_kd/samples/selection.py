"""Parts of the samples table, and the numbers of its classes."""

import re

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig

SPLITS = ("train", "dev", "test")


def split_rows(samples: pd.DataFrame, modality: str, split: str) -> pd.DataFrame:
    """The rows of one modality and split, in the table's order.

    Args:
        samples: The samples table.
        modality: Of the rows.
        split: train, dev or test.

    Returns:
        A part of the table, with its index.
    """
    return samples[(samples["modality"] == modality) & (samples["split"] == split)]


def class_numbers(labels: pd.Series, classes: list[str]) -> np.ndarray:
    """Position of each label among the classes.

    Args:
        labels: (n,) labels, null for none.
        classes: C names.

    Returns:
        (n,) integers in [0, C), -1 for no label, or one that is none of them.
    """
    return pd.Categorical(labels, categories=classes).codes.astype(np.int64)


def train_classes(samples: pd.DataFrame, task: TaskConfig) -> list[str]:
    """The classes of every classifier of the task: the labels of the student's training samples that have one.

    Args:
        samples: The samples table.
        task: Names the student's modality.

    Returns:
        Names, sorted.
    """
    return sorted(split_rows(samples, task.student, "train")["label"].dropna().unique())


def known_classes(samples: pd.DataFrame, task: TaskConfig) -> list[str]:
    """The classes that a classifier is asked for, by their names, whether or not a training sample shows them.

    Args:
        samples: The samples table.
        task: Names the student's modality.

    Returns:
        Names, sorted: ``train_classes``, or those of the dev split where no training sample has a label.
    """
    return train_classes(samples, task) or sorted(split_rows(samples, task.student, "dev")["label"].dropna().unique())


def words_of(name: str) -> str:
    """What a teacher of words is asked for a class.

    Args:
        name: Of the class, as the samples table has it, or as it is typed.

    Returns:
        Its words, with blanks for the signs that file names have between them.

    >>> words_of("face-smiling"), words_of("sky_&_weather"), words_of("n02085620")
    ('face smiling', 'sky & weather', 'n02085620')
    """
    return re.sub(r"[-_\s]+", " ", name).strip() or name
