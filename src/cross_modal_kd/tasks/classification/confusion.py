"""Which class is answered where another is right."""

import numpy as np

from cross_modal_kd.plotting import ARMS
from cross_modal_kd.samples import class_numbers
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.confusion import MOST_LABELS, Cell, Confusion
from cross_modal_kd.tasks.on_test import StudentsOnTest

OTHERS = "another"


def confusion_of_classes(students: StudentsOnTest) -> Confusion:
    """Test samples by their class and by the answer, of both students.

    Args:
        students: both arms on the test split, with the C classes of their classifiers.

    Returns:
        A row and a column a class. Of more than twelve classes those that the distilled student confuses most, and a
        last column for all other answers, so that a row has all test samples of its class.
    """
    classes = list(students.students["distilled"].config["classes"])
    counts = {arm: _counts(students, arm, len(classes)) for arm in ARMS}
    shown = _most_confused(counts["distilled"]) if len(classes) > MOST_LABELS else np.arange(len(classes))
    all_shown = len(shown) == len(classes)
    tables, remarks = {}, {}
    for arm, found in counts.items():
        part = found[np.ix_(shown, shown)]
        if not all_shown:
            part = np.column_stack([part, found[shown].sum(axis=1) - part.sum(axis=1)])
        tables[arm] = [_line(line) for line in part]
        remarks[arm] = f"{int(np.trace(found)):,} of {int(found.sum()):,} test samples are answered rightly."
    which = (
        "" if all_shown else f" Shown are the {len(shown)} of {len(classes)} that the distilled student confuses most."
    )
    return Confusion(
        "What is taken for what",
        "A row is a class, a column an answer, a number the test samples of the class that were answered so: right "
        f"answers are on the diagonal. The darker, the larger the share of the row.{which}",
        [classes[number] for number in shown],
        "" if all_shown else OTHERS,
        tables,
        remarks,
    )


def _counts(students: StudentsOnTest, arm: str, classes: int) -> np.ndarray:
    """(C, C) test samples by class and answer; a label that is no class is left out."""
    rows, student = students.rows, students.students[arm]
    numbers = class_numbers(rows["label"], student.config["classes"])
    answers = probabilities(student, students.embeddings[arm].at(rows["sample_id"])).argmax(axis=1)
    found = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(found, (numbers[numbers >= 0], answers[numbers >= 0]), 1)
    return found


def _most_confused(counts: np.ndarray) -> np.ndarray:
    """Both sides of the most frequent confusions, in that order, then classes of many samples: at most twelve."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[: 2 * MOST_LABELS * MOST_LABELS]
    order = order[wrong.ravel()[order] > 0]
    pairs = np.column_stack(np.unravel_index(order, wrong.shape)).ravel()
    others = np.argsort(-counts.sum(axis=1), kind="stable")
    return np.asarray(list(dict.fromkeys([*pairs.tolist(), *others.tolist()]))[:MOST_LABELS], dtype=np.intp)


def _line(line: np.ndarray) -> list[Cell]:
    total = max(int(line.sum()), 1)
    return [Cell(str(count) if count else "", round(count / total, 3)) for count in line.tolist()]
