"""Fewer labels, for trials and tests."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import IngestionConfig, TaskConfig
from cross_modal_kd.samples.frozen import labels_by_split, read_frozen


def keep_labels(rows: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig) -> pd.DataFrame:
    """Only ``ingestion.max_labels`` labels, drawn with the split's seed among those of the student.

    Where a frozen split (``ingestion.split.frozen``) has the labels in its three splits, each split keeps its part of
    them, two at least: so a few labels can still be learnt and measured on.

    Args:
        rows: Candidate samples, of one modality or more.
        task: Names the student's modality.
        ingestion: The number of labels (null keeps all), the seed and the frozen split.

    Returns:
        The rows of the labels that were drawn, and those without a label.
    """
    modalities = [task.student] if (rows["modality"] == task.student).any() else [task.teacher]
    students = rows[rows["modality"].isin(modalities)]
    labels = sorted(students["label"].dropna().unique())
    if ingestion.max_labels is None or len(labels) <= ingestion.max_labels:
        return rows
    rng = np.random.default_rng(ingestion.split.seed)
    of_split = labels_by_split(students, read_frozen(ingestion.split, tell=False))
    kept: list[str] = []
    if all(of_split.values()):
        for split, count in _parts(
            {name: len(found) for name, found in of_split.items()}, ingestion.max_labels
        ).items():
            kept += rng.choice(np.array(of_split[split], dtype=object), count, replace=False).tolist()
    others = np.array([label for label in labels if label not in set(kept)], dtype=object)
    kept += rng.choice(others, ingestion.max_labels - len(kept), replace=False).tolist()
    return rows[rows["label"].isin(kept) | rows["label"].isna()]


def _parts(sizes: dict[str, int], wanted: int) -> dict[str, int]:
    """``wanted`` dealt by size, two a split or what it has; all of them where more is wanted than there is."""
    wanted = min(wanted, sum(sizes.values()))
    parts = {name: min(size, 2, wanted // len(sizes)) for name, size in sizes.items()}
    for _ in range(wanted - sum(parts.values())):
        shortest = min(
            (name for name in sizes if parts[name] < sizes[name]), key=lambda name: parts[name] / sizes[name]
        )
        parts[shortest] += 1
    return parts
