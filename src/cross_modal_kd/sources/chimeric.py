"""Chimeric pairs: labels of two modalities that never belonged together, assigned to each other one to one."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import IngestionConfig, TaskConfig
from cross_modal_kd.samples import SamplesError, keep_labels
from cross_modal_kd.sources.listing import Listing, listing


def make_chimeric(rows: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig) -> Listing:
    """The candidates of a chimeric task: ``assign_chimeric`` on the labels of the student that are kept.

    Args:
        rows: candidate rows of the task's two modalities, from any sources.
        task: whose modalities they are.
        ingestion: how many labels of the student are kept, and the seed of the assignment.

    Returns:
        The rows of both modalities, and the teacher's that are left over.

    Raises:
        SamplesError: the teacher has fewer labels than the student.
    """
    students, teachers = (rows[rows["modality"] == modality] for modality in (task.student, task.teacher))
    if students.empty or teachers.empty:
        return listing(rows)
    students = keep_labels(students, task, ingestion)
    assigned = assign_chimeric(teachers, students, task, ingestion.split.seed)
    return listing(pd.concat([students, assigned.rows], ignore_index=True), assigned.rejected)


def assign_chimeric(teachers: pd.DataFrame, students: pd.DataFrame, task: TaskConfig, seed: int) -> Listing:
    """Give every label of the student's samples one of the teacher's labels, drawn with ``seed``.

    Nothing in such a teacher sample predicts its student sample.

    Args:
        teachers: candidate rows of the teacher's modality, from whatever sources.
        students: candidate rows of the student's modality.
        task: whose modalities they are.
        seed: of the draw; with the sets of labels it decides the assignment.

    Returns:
        The teacher's rows under the student's labels, without a group; those of labels left over are rejected.

    Raises:
        SamplesError: the teacher has fewer labels than the student.
    """
    identities, wanted = sorted(teachers["label"].unique()), sorted(students["label"].unique())
    counts = f"{len(identities)} {task.teacher} labels for {len(wanted)} {task.student} labels"
    if len(identities) < len(wanted):
        raise SamplesError(
            f"task.chimeric needs one label of the teacher for each of the student, found {counts}. Set "
            f"ingestion.max_labels to the smaller number, or bring more {task.teacher} samples"
        )
    drawn = np.random.default_rng(seed).permutation(np.array(identities, dtype=object))
    label_of = dict(zip(drawn.tolist(), wanted, strict=False))
    assigned = teachers["label"].map(label_of)
    left_over = teachers[assigned.isna()]
    reasons = [f"the {task.teacher} label {label} is assigned to nobody: {counts}" for label in left_over["label"]]
    kept = teachers.assign(label=assigned, group=None)[assigned.notna()]
    return listing(kept, left_over[["source", "path"]].assign(reason=reasons))
