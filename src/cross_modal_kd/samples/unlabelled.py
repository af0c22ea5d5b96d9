"""Samples without a label: they are trained on by their pairs, and never measured."""

import logging
from typing import NamedTuple

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.known_labels import labels_in_words
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.schema import REJECTED_DTYPES, conform

logger = logging.getLogger(__name__)


class Joined(NamedTuple):
    """The table with those that serve; and source, path and reason of the others."""

    samples: pd.DataFrame
    rejected: pd.DataFrame


def part_unlabelled(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with a label, and those without.

    Args:
        rows: of the samples table.

    Returns:
        Both parts, with their index.

    Raises:
        SamplesError: none has a label.
    """
    has = rows["label"].notna()
    if not has.any():
        raise SamplesError(
            "no sample has a label, and students are chosen and measured by labels: give some of them one, two labels "
            f"at least in each of dev and test (a column split, or ingestion.split, says where); all {len(rows):,} "
            "could be trained on without"
        )
    return rows[has], rows[~has]


def join_unlabelled(labelled: pd.DataFrame, others: pd.DataFrame, task: TaskConfig) -> Joined:
    """Put samples without a label into the training split, where that is no leak and a pair is there to learn from.

    Left out are those that an official split gives to dev or test, those that share a group, a family or a file, byte
    for byte, with a sample of dev or test, and then those without a sample of the other modality beside them.

    Args:
        labelled: rows with their splits; all have a label.
        others: rows without one; ``split`` is that of their source, null where it gives none.
        task: its two modalities and its pairing.

    Returns:
        All rows that can be used, in the order of their index.
    """
    if others.empty:
        return Joined(labelled, conform(pd.DataFrame([]), REJECTED_DTYPES))
    given = others["split"] if "split" in others else pd.Series(None, index=others.index, dtype="str")
    reason = pd.Series(None, index=others.index, dtype="str")
    measured = given.isin(["dev", "test"])
    reason = reason.mask(measured, "no label, and the " + given.astype("str") + " split is measured by labels")
    unseen = labelled[labelled["split"] != "train"]
    for column, what in (("group", "group"), ("family", "family"), ("sha256", "file, byte for byte,")):
        if column in labelled and column in others:
            of_split = unseen.dropna(subset=[column]).drop_duplicates(column).set_index(column)["split"]
            place = others[column].map(of_split).astype("str")
            why = f"no label, and its {what} lies in the " + place + " split"
            reason = reason.mask(reason.isna() & place.notna(), why)
    return _with_a_pair(labelled, others.assign(split="train"), reason, task)


def _with_a_pair(labelled: pd.DataFrame, others: pd.DataFrame, reason: pd.Series, task: TaskConfig) -> Joined:
    """``join_unlabelled`` of those that have no ``reason`` to be left out yet."""
    table = pd.concat([labelled, others[reason.isna()]]).sort_index()
    pairing = pair(table, task)
    alone = others["sample_id"].isin([*pairing.without_partner, *pairing.without_student]) & reason.isna()
    beside = {task.student: task.teacher, task.teacher: task.student}
    why = "no label, and no " + others["modality"].map(beside) + f" sample beside it ({', '.join(task.levels)})"
    reason = reason.mask(alone, why)
    left_out = others[reason.notna()]
    rejected = left_out[["source", "path"]].assign(path=left_out["path"].fillna(left_out["sample_id"]))
    rejected = conform(rejected.assign(reason=reason[left_out.index]), REJECTED_DTYPES)
    samples = table.drop(index=others.index[alone])
    of_student = samples[(samples["modality"] == task.student) & (samples["split"] == "train")]
    if said := labels_in_words(of_student["label"]):
        logger.info(said)
    return Joined(samples, rejected)
