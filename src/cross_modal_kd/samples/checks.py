"""A set of samples that a task can be learnt and measured on."""

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.errors import SamplesError, first_few
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.selection import SPLITS


def check_samples(samples: pd.DataFrame, task: TaskConfig, design: SamplingDesign) -> None:
    """Raise unless the splits are sound for ``task``.

    Every split has samples of the student and at least two labels among them; training samples may be without a label,
    those of dev and test may not, and where no training sample has one there is no closed set. The labels of dev and
    test occur in train (closed set; in dev those of test, where train has none, and the classes have to be named), or
    are disjoint over the splits, and one of each split has two samples; groups and
    families are never parted; every student sample of the training split has a partner.

    Args:
        samples: the table, with its splits.
        task: its modalities and its pairing.
        design: of the kind of task.

    Raises:
        SamplesError: what is wrong, and what to do.
    """
    students = samples.loc[samples["modality"] == task.student, ["sample_id", "label", "split"]]
    _measured_by_labels(students, task.student)
    _parted_at_all(samples, task.student, design)
    _two_labels_a_split(students, task.student)
    if design.closed_set:
        _labels_are_learnt(students)
    else:
        _never_parted(samples, "label", f"{task.kind} is measured on labels unseen in training")
        _two_of_a_label(students, task)
    _never_parted(samples, "group", "a group is one instance, which must not be in training and in the test")
    if "family" in samples:
        _never_parted(samples, "family", "a family is made of near-identical instances")
    training = students.loc[students["split"] == "train", "sample_id"]
    pair(samples, task).require_partners(training)


def require_some(usable: pd.DataFrame, unusable: pd.DataFrame, task: TaskConfig) -> None:
    """Make sure that some samples of both modalities can be used: an empty split would be named instead.

    Args:
        usable: rows that can be used.
        unusable: path and reason of the others.
        task: its modalities.

    Raises:
        SamplesError: there are none of one, with the first reason.
    """
    there = set(usable["modality"])
    if lacking := [modality for modality in (task.student, task.teacher) if modality not in there]:
        first = (
            f" (the first: {unusable['path'].iloc[0]!a}, {unusable['reason'].iloc[0]!a:.200})" if len(unusable) else ""
        )
        raise SamplesError(
            f"none of the {lacking[0]} samples can be used: {len(unusable)} were rejected{first}; see to the files, or "
            "to what ingestion rejects (data.html counts the reasons)"
        )


def _measured_by_labels(students: pd.DataFrame, modality: str) -> None:
    without = students[(students["split"] != "train") & students["label"].isna()]
    if len(without):
        raise SamplesError(
            f"{len(without)} {modality} samples of dev or test have no label ({first_few(without['sample_id'])}), and "
            "are measured by it: give them one, or put them into training"
        )


def _parted_at_all(samples: pd.DataFrame, modality: str, design: SamplingDesign) -> None:
    """Make sure that not all samples are bound to one split by the name of one group or family."""
    rows = samples[samples["modality"] == modality]
    for column in ("family", "group"):
        names = rows[column] if column in rows else pd.Series([None, None])
        if design.closed_set and len(rows) > 1 and names.notna().all() and names.nunique() == 1:
            raise SamplesError(
                f"all {len(rows):,} {modality} samples have one {column}, {names.iloc[0]!r}, which is never parted: "
                f"they are all in the {rows['split'].iloc[0]} split, and nothing is left for the others. Give what "
                f"belongs together a {column} of its own, or leave the {column} out"
            )


def _two_labels_a_split(students: pd.DataFrame, modality: str) -> None:
    samples = {split: students[students["split"] == split] for split in SPLITS}
    for split, rows in samples.items():
        if len(rows) == 0:
            raise SamplesError(
                f"the {split} split is empty: it has no {modality} sample. Add labels, or raise "
                f"ingestion.split.{split}; of a split that a source brings, the log's warnings say what is not there"
            )
    for split, rows in samples.items():
        found = rows["label"].dropna().unique()
        if len(found) == 1:
            raise SamplesError(
                f"one-class set: the {modality} samples of the {split} split all have the label {found[0]!r}; at "
                f"least two labels are needed. Add labels, or raise ingestion.split.{split}"
            )


def _two_of_a_label(students: pd.DataFrame, task: TaskConfig) -> None:
    for split in ("dev", "test"):
        rows = students[students["split"] == split]
        if not rows["label"].duplicated().any():
            raise SamplesError(
                f"each of the {len(rows)} labels of the {split} split has one {task.student} sample: a {task.kind} "
                "asks whether two are of the same label, and there are no such two. Give some labels a second sample"
            )


def _never_parted(samples: pd.DataFrame, column: str, why: str) -> None:
    placed = samples[[column, "split"]].dropna(subset=[column]).drop_duplicates()
    placed = placed[placed[column].duplicated(keep=False)]
    if len(placed):
        parted = placed.groupby(column)["split"].agg(lambda found: sorted(set(found)))
        examples = ", ".join(f"{name!r} in {' and '.join(found)}" for name, found in parted.head(3).items())
        raise SamplesError(
            f"{len(parted)} {column}(s) lie in more than one split: {examples}. Since {why}, put each into one split "
            "(correct the source's own splits, or leave them out so that ingestion draws them)"
        )


def _labels_are_learnt(students: pd.DataFrame) -> None:
    labels = {split: set(students.loc[students["split"] == split, "label"].dropna()) for split in SPLITS}
    if not labels["train"]:
        if unnamed := labels["test"] - labels["dev"]:
            raise SamplesError(
                f"{len(unnamed)} label(s) occur in test but not in dev: {first_few(unnamed)}. Where no training sample "
                "has a label, the classes are those of dev: add samples of these to it, or take them out"
            )
        return
    if unknown := (labels["dev"] | labels["test"]) - labels["train"]:
        raise SamplesError(
            f"{len(unknown)} label(s) occur in dev or test but not in train: {first_few(unknown)}. A classifier cannot "
            "know them: add training samples, or take these labels out"
        )
