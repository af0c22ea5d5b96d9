"""The trials in which a student is most wrong."""

from cross_modal_kd.metrics import cosine_scores, unit_rows
from cross_modal_kd.plotting import typeset
from cross_modal_kd.tasks.on_test import Mistake, Mistakes, StudentsOnTest
from cross_modal_kd.tasks.verification.scores import trial_rows

PAIRS = 8
SORTS = (
    ("Taken for the same", "different labels, with the highest scores", 0, False),
    ("Not recognised", "the same label, with the lowest scores", 1, True),
)
REMARKS = {"distilled": "distilled", "alone": "student_alone"}


def worst_trials(students: StudentsOnTest) -> list[Mistakes]:
    """Impostors with the highest score and targets with the lowest, at most one pair of the same label(s).

    Args:
        students: both arms on the test split, with its trials.

    Returns:
        The two sorts, impostors first, of at most eight pairs each, the worst by the distilled student first; remarks:
        each student's cosine score, with two decimals.
    """
    ids = students.rows["sample_id"]
    enrol, test = trial_rows(students.rows, students.trials)
    scores = {
        remark: cosine_scores(unit_rows(students.embeddings[arm].at(ids)), enrol, test)
        for remark, arm in REMARKS.items()
    }
    table = students.trials.assign(**scores)
    groups = []
    for title, explains, target, ascending in SORTS:
        worst = table[table["target"] == target].sort_values("distilled", ascending=ascending, kind="stable")
        worst = worst.drop_duplicates(["enrol_label", "test_label"]).head(PAIRS)
        mistakes = [
            Mistake([row["enrol_id"], row["test_id"]], {name: typeset(f"{row[name]:.2f}") for name in scores})
            for row in worst.to_dict("records")
        ]
        groups.append(Mistakes(title, explains, mistakes))
    return groups
