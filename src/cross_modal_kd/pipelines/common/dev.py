"""Dev metrics: what a checkpoint, a projection head or a teacher is chosen by. They never see the test split."""

import numpy as np
import pandas as pd

from cross_modal_kd.config.task import TaskConfig


def pairwise_eer(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """EER over all pairs of the samples, cosine scores; NaN where no two samples share a label or all do."""
    from cross_modal_kd.metrics.verification import eer

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    rows, columns = np.triu_indices(len(unit), 1)
    scores = (unit @ unit.T)[rows, columns]
    targets = labels[rows] == labels[columns]
    if targets.all() or not targets.any():
        return float("nan")
    return eer(scores, targets.astype(int))


def split_rows(samples: pd.DataFrame, modality: str, split: str) -> pd.DataFrame:
    """The rows of one modality and split, in the table's order."""
    return samples[(samples["modality"] == modality) & (samples["split"] == split)]


def class_numbers(labels: pd.Series, classes: list[str]) -> np.ndarray:
    """Position of each label among ``classes``, -1 for a label that is none of them."""
    return pd.Categorical(labels, categories=classes).codes.astype(np.int64)


def train_classes(samples: pd.DataFrame, task: TaskConfig) -> list[str]:
    """The labels of the student's training samples, sorted: the classes of every classifier of the task."""
    return sorted(split_rows(samples, task.student, "train")["label"].unique())


def chosen_by(task: TaskConfig) -> str:
    """Name of the dev metric of a task: ``eer`` (smaller is better) or ``top1`` (larger)."""
    return "eer" if task.kind == "verification" else "top1"
