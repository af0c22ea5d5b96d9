"""Chimeric pairs: labels of two modalities that never belonged together, assigned to each other one to one."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.config import IngestionConfig, TaskConfig
from cross_modal_kd.samples import SamplesError, frozen_partners, keep_labels, one_form
from cross_modal_kd.sources.listing import Listing, listing


def make_chimeric(rows: pd.DataFrame, task: TaskConfig, ingestion: IngestionConfig) -> Listing:
    """The candidates of a chimeric task: ``assign_chimeric`` on the labels of the student that are kept.

    Args:
        rows: candidate rows of the task's two modalities, from any sources.
        task: whose modalities they are.
        ingestion: how many labels of the student are kept, the seed of the assignment, and a split that was frozen
            with it.

    Returns:
        The rows of both modalities, and the teacher's that are left over.

    Raises:
        SamplesError: the teacher has fewer labels than the student.
    """
    students, teachers = (rows[rows["modality"] == modality] for modality in (task.student, task.teacher))
    if students.empty or teachers.empty:
        return listing(rows)
    students = keep_labels(students, task, ingestion)
    assigned = assign_chimeric(teachers, students, task, ingestion.split.seed, frozen_partners(ingestion.split))
    return listing(pd.concat([students, assigned.rows], ignore_index=True), assigned.rejected)


def assign_chimeric(
    teachers: pd.DataFrame,
    students: pd.DataFrame,
    task: TaskConfig,
    seed: int,
    frozen: Mapping[str, str] | None = None,
) -> Listing:
    """Give every label of the student's samples one of the teacher's labels, drawn with ``seed``, see ``partners``.

    Nothing in such a teacher sample predicts its student sample.

    Args:
        teachers: candidate rows of the teacher's modality, from whatever sources.
        students: candidate rows of the student's modality.
        task: whose modalities they are.
        seed: of the draw; with the sets of labels it decides the assignment.
        frozen: the teacher's label of each of the student's that is given and not drawn, in one form of Unicode.

    Returns:
        The teacher's rows under the student's labels, without a group; those of labels left over are rejected.

    Raises:
        SamplesError: the teacher has fewer labels than the student.
    """
    identities, wanted = (sorted(rows["label"].dropna().unique()) for rows in (teachers, students))
    counts = f"{len(identities)} {task.teacher} labels for {len(wanted)} {task.student} labels"
    if len(identities) < len(wanted):
        raise SamplesError(
            f"task.chimeric needs one label of the teacher for each of the student, found {counts}. Set "
            f"ingestion.max_labels to the smaller number, or bring more {task.teacher} samples"
        )
    held = _held(wanted, identities, frozen or {})
    free = [label for label in identities if label not in set(held.values())]
    drawn = partners([label for label in wanted if label not in held], free, seed)
    label_of = {partner: label for label, partner in (held | drawn).items()}
    assigned = teachers["label"].map(label_of)
    left_over = teachers[assigned.isna()]
    reasons = [
        "no label, and chimeric pairs are made of labels"
        if pd.isna(label)
        else f"the {task.teacher} label {label} is assigned to nobody: {counts}"
        for label in left_over["label"]
    ]
    kept = teachers.assign(label=assigned, group=None)[assigned.notna()]
    return listing(kept, left_over[["source", "path"]].assign(reason=reasons))


def partners(wanted: Sequence[str], identities: Sequence[str], seed: int) -> dict[str, str]:
    """One identity for each label, by a hash of both names and the seed.

    Each pair has a score of its own, and the best pair of all comes together, then the best of those that are left, and
    so on. So a label that is added takes its partner from few others: where there are as many identities as labels,
    one that is added to 40 of both changes the partners of about three, and leaves all others as they are.

    Args:
        wanted: n labels.
        identities: m names, m at least n.
        seed: of the draw.

    Returns:
        The identity of each label, none twice; the same whatever the order of the names.
    """
    own, theirs = (np.array([_number(name, seed) for name in names], dtype=np.uint64) for names in (wanted, identities))
    holder = np.full(len(identities), -1)
    held = np.zeros(len(identities), dtype=np.uint64)
    waiting = list(range(len(wanted)))
    while waiting:  # each asks the best that would rather have it, which gives up whom it has
        asking = waiting.pop()
        scores = _mixed(own[asking] ^ theirs)
        best = int(np.where((holder < 0) | (scores > held), scores, np.uint64(0)).argmax())
        if holder[best] >= 0:
            waiting.append(int(holder[best]))
        holder[best], held[best] = asking, scores[best]
    return {wanted[label]: identities[at] for at, label in enumerate(holder.tolist()) if label >= 0}


def _held(wanted: Sequence[str], identities: Sequence[str], frozen: Mapping[str, str]) -> dict[str, str]:
    """What is given of the labels that are there."""
    named = {one_form(name): name for name in identities}
    given = {label: named.get(frozen.get(one_form(label), "")) for label in wanted}
    return {label: partner for label, partner in given.items() if partner is not None}


def _number(name: str, seed: int) -> int:
    digest = hashlib.sha256(f"{seed}\0{one_form(name)}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "little")


def _mixed(values: np.ndarray) -> np.ndarray:
    """A bijection of 64 bits in which every bit of the value counts for every bit (the end of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
