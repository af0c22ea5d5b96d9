"""Fewer labels, for trials and tests."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import IngestionConfig, TaskConfig


def keep_labels(rows: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig) -> pd.DataFrame:
    """Only ``ingestion.max_labels`` labels, drawn with the split's seed among those of the student.

    Args:
        rows: Candidate samples, of one modality or more.
        task: Names the student's modality.
        ingestion: The number of labels (null keeps all) and the seed.

    Returns:
        The rows of the labels that were drawn.
    """
    modalities = [task.student] if (rows["modality"] == task.student).any() else [task.teacher]
    labels = sorted(rows.loc[rows["modality"].isin(modalities), "label"].unique())
    if ingestion.max_labels is None or len(labels) <= ingestion.max_labels:
        return rows
    rng = np.random.default_rng(ingestion.split.seed)
    kept = rng.choice(np.array(labels, dtype=object), ingestion.max_labels, replace=False)
    return rows[rows["label"].isin(kept)]
