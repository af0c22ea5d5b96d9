"""A few of the test samples, both modalities of a label side by side."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation.report.exhibits import Exhibit, Exhibits
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import split_rows

LABELS = 6


def gallery(
    samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig, exhibits: Exhibits
) -> list[tuple[str, list[Exhibit], list[Exhibit]]]:
    """A few of the test samples, both modalities of a label side by side.

    For instance pairing they are of one group of the label, where there is one with both.

    Args:
        samples: the table, with its splits.
        task: its modalities and its pairing.
        evaluation: ``seed`` of the draw of at most six labels.
        exhibits: of the same table.

    Returns:
        (name, the student's samples, the teacher's) of each label drawn; how many of each, its modality says.
    """
    students, teachers = (split_rows(samples, modality, "test") for modality in (task.student, task.teacher))
    labels = np.asarray(sorted(students["label"].unique()), dtype=object)
    drawn = np.random.default_rng(evaluation.seed).permutation(labels)[:LABELS]
    most_own, most_theirs = modality_of(task.student).shown[0], modality_of(task.teacher).shown[1]
    shown = []
    for label in drawn:
        own, theirs = (rows[rows["label"] == label] for rows in (students, teachers))
        paired = own[own["group"].isin(theirs["group"])]
        if "instance" in task.levels and len(paired):
            own = paired[paired["group"] == paired["group"].iloc[0]]
            theirs = theirs[theirs["group"] == own["group"].iloc[0]]
        own, theirs = own.head(most_own), theirs.head(most_theirs)
        exhibited = [[exhibits.show(sample) for sample in rows["sample_id"]] for rows in (own, theirs)]
        shown.append((exhibits.name_of(own["sample_id"].iloc[0]), exhibited[0], exhibited[1]))
    return shown
