"""How many samples there are of what, and by what they are paired."""

import logging

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.pairing import Pairing
from cross_modal_kd.samples.selection import SPLITS

logger = logging.getLogger(__name__)
KEYS = ["split", "modality", "source"]


def summarise_splits(samples: pd.DataFrame, pairing: Pairing, task: TaskConfig) -> pd.DataFrame:
    """Samples, labels and groups of each split, modality and source.

    Of a task that is paired by several levels also how many of the student's samples are by each, which the log says.

    Args:
        samples: the table, with its splits.
        pairing: of these samples.
        task: its two modalities, and its levels.

    Returns:
        split, modality, source and the counts samples, labels and groups; a row each, train before dev before test.
        Where some samples have no label, also ``without_label``, how many.
        With several levels also ``by_instance`` and the like, and ``alone``; null for the teacher's samples.
    """
    counts = samples.groupby(KEYS).agg(
        samples=("sample_id", "size"), labels=("label", "nunique"), groups=("group", "nunique")
    )
    if samples["label"].isna().any():
        counts["without_label"] = samples["label"].isna().groupby([samples[key] for key in KEYS]).sum()
    summary = counts.reset_index().sort_values(
        "split", key=lambda found: found.map(SPLITS.index), kind="stable", ignore_index=True
    )
    if len(task.levels) == 1:
        return summary
    names = np.array([*(f"by_{level}" for level in task.levels), "alone"])
    found = pd.DataFrame({"sample_id": pairing.student_ids, "level": names[pairing.level]})  # -1 is the last of them
    by_level = found.merge(samples[["sample_id", *KEYS]], on="sample_id")
    table = by_level.groupby([*KEYS, "level"]).size().unstack(fill_value=0).reindex(columns=names, fill_value=0)
    said = ", ".join(f"{count:,} {str(name).replace('_', ' ')}" for name, count in table.sum().items())
    logger.info("%s samples are paired with %s: %s", task.student, task.teacher, said)
    return summary.join(table.astype("Int64"), on=KEYS)
