"""The answers in which a student is most wrong."""

import numpy as np

from cross_modal_kd.samples import class_numbers
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.on_test import Mistake, Mistakes, StudentsOnTest

ANSWERS = 16


def worst_answers(students: StudentsOnTest) -> list[Mistakes]:
    """Wrong answers of the distilled student with the highest confidence, at most one of a class.

    Args:
        students: both arms on the test split, with the classes of their classifiers.

    Returns:
        One sort of at most 16 mistakes, the most confident first; remarks: the class that each student answers, the
        distilled one's with its confidence.
    """
    ids, classes = students.rows["sample_id"].to_numpy(), students.students["distilled"].config["classes"]
    answers = {
        arm: probabilities(student, students.embeddings[arm].at(ids)) for arm, student in students.students.items()
    }
    labels = class_numbers(students.rows["label"], classes)
    predicted, confidence = answers["distilled"].argmax(axis=1), answers["distilled"].max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")]
    _, first = np.unique(labels[order], return_index=True)
    mistakes = [
        Mistake(
            [ids[row]],
            {
                "distilled": f"{classes[predicted[row]]} ({100 * confidence[row]:.0f} %)",
                "alone": classes[answers["student_alone"][row].argmax()],
            },
        )
        for row in order[np.sort(first)][:ANSWERS]
    ]
    return [Mistakes("Wrong and sure of it", "wrong answers with the highest confidence", mistakes)]
