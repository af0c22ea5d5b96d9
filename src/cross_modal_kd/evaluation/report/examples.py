"""Where the distilled student is most wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.evaluation.legend import typeset
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.evaluation.report.exhibits import Exhibit, Exhibits
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import class_numbers, split_rows
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.scores import cosine_scores, trial_rows

PAIRS = 8
ANSWERS = 16


@dataclass(frozen=True)
class Example:
    """exhibits: one sample, or the two of a pair. remarks: what the students make of it, by name."""

    exhibits: list[Exhibit]
    remarks: dict[str, str]


@dataclass(frozen=True)
class Group:
    """Examples of one kind of error."""

    title: str
    explains: str
    examples: list[Example]


def worst_examples(
    samples: pd.DataFrame,
    sources: SourcesConfig,
    protocol: Protocol,
    *,
    students: Mapping[str, ModelBundle],
    embeddings: Mapping[str, EmbeddingTable],
) -> list[Group]:
    """The worst errors of the distilled student, beside what the student alone makes of them."""
    task, exhibits = protocol.task, Exhibits(samples, protocol.task, sources)
    if task.kind == "classification":
        return worst_answers(samples, task, students, embeddings, exhibits)
    alone, distilled = embeddings["student_alone"], embeddings["distilled"]
    return worst_trials(samples, task, protocol.trials, alone, distilled, exhibits)


def worst_trials(
    samples: pd.DataFrame,
    task: TaskConfig,
    trials: pd.DataFrame,
    alone: EmbeddingTable,
    distilled: EmbeddingTable,
    exhibits: Exhibits,
) -> list[Group]:
    """Impostors with the highest score and targets with the lowest, at most one pair of the same label(s)."""
    rows = split_rows(samples, task.student, "test")
    enrol, test = trial_rows(rows, trials)
    scores = {
        name: cosine_scores(unit_rows(table.at(rows["sample_id"])), enrol, test)
        for name, table in (("distilled", distilled), ("alone", alone))
    }
    table = trials.assign(**scores)
    kinds = [
        ("Taken for the same", "different labels, with the highest scores", 0, False),
        ("Not recognised", "the same label, with the lowest scores", 1, True),
    ]
    groups = []
    for title, explains, target, ascending in kinds:
        worst = table[table["target"] == target].sort_values("distilled", ascending=ascending, kind="stable")
        worst = worst.drop_duplicates(["enrol_label", "test_label"]).head(PAIRS)
        examples = [
            Example(
                [exhibits.show(row["enrol_id"]), exhibits.show(row["test_id"])],
                {name: typeset(f"{row[name]:.2f}") for name in scores},
            )
            for row in worst.to_dict("records")
        ]
        groups.append(Group(title, explains, examples))
    return groups


def worst_answers(
    samples: pd.DataFrame,
    task: TaskConfig,
    students: Mapping[str, ModelBundle],
    embeddings: Mapping[str, EmbeddingTable],
    exhibits: Exhibits,
) -> list[Group]:
    """Wrong answers of the distilled student with the highest confidence, at most one of a class."""
    rows = split_rows(samples, task.student, "test").reset_index(drop=True)
    answers = {arm: probabilities(students[arm], embeddings[arm].at(rows["sample_id"])) for arm in students}
    classes = students["distilled"].config["classes"]
    labels = class_numbers(rows["label"], classes)
    predicted, confidence = answers["distilled"].argmax(axis=1), answers["distilled"].max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")]
    _, first = np.unique(labels[order], return_index=True)
    examples = [
        Example(
            [exhibits.show(rows["sample_id"][row])],
            {
                "distilled": f"{classes[predicted[row]]} ({100 * confidence[row]:.0f} %)",
                "alone": classes[answers["student_alone"][row].argmax()],
            },
        )
        for row in order[np.sort(first)][:ANSWERS]
    ]
    return [Group("Wrong and sure of it", "wrong answers with the highest confidence", examples)]
