"""Which labels lie so near to each other that their pairs pass for pairs of one."""

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.plotting import ARMS, typeset
from cross_modal_kd.tasks.confusion import MOST_LABELS, Cell, Confusion
from cross_modal_kd.tasks.on_test import StudentsOnTest

AT_ONCE = 500


def confusion_of_labels(students: StudentsOnTest) -> Confusion | None:
    """Mean scores between test labels, of those that the distilled student parts worst.

    Args:
        students: both arms on the test split.

    Returns:
        A row and a column a label, at most twelve; None where there is one label alone.
    """
    codes, labels = pd.factorize(students.rows["label"], sort=True)
    if len(labels) < 2:
        return None
    ids = students.rows["sample_id"]
    sums = {arm: _sums(unit_rows(students.embeddings[arm].at(ids)), codes, len(labels)) for arm in ARMS}
    counts = np.bincount(codes)
    shown = _nearest(sums["distilled"] / counts[:, None])
    tables = {}
    for arm, summed in sums.items():
        part, own = summed[shown], counts[shown]
        scores = (part @ part.T) / np.outer(own, own)
        within = [_within(each, number) for each, number in zip(part, own.tolist(), strict=True)]
        tables[arm] = [
            [_cell(within[i] if i == j else float(scores[i, j])) for j in range(len(shown))] for i in range(len(shown))
        ]
    which = "" if len(shown) == len(labels) else f", those {len(shown)} of {len(labels)} that it parts worst"
    return Confusion(
        "Labels that lie close together",
        "A number is the mean score of all pairs of test samples of two labels, on the diagonal of one label. Where a "
        "number beside the diagonal comes near those on it, the two labels are taken for each other. The labels are "
        f"chosen by the distilled student{which}; this favours the student alone, so compare the tables with care.",
        [str(labels[number]) for number in shown],
        "",
        tables,
        {},
    )


def _sums(unit: np.ndarray, codes: np.ndarray, labels: int) -> np.ndarray:
    """(L, d) sums of the unit vectors of each label."""
    found = np.zeros((labels, unit.shape[1]), dtype=np.float64)
    np.add.at(found, codes, unit)
    return found


def _nearest(means: np.ndarray) -> np.ndarray:
    """Labels of the pairs with the highest mean scores, in that order: both sides of each, at most twelve."""
    pairs: list[tuple[float, int, int]] = []
    for start in range(0, len(means), AT_ONCE):
        scores = means[start : start + AT_ONCE] @ means.T
        above = np.arange(start, start + len(scores))[:, None] < np.arange(len(means))
        scores = np.where(above, scores, -np.inf).ravel()
        best = np.argsort(-scores, kind="stable")[: MOST_LABELS * MOST_LABELS]
        for at in best[np.isfinite(scores[best])].tolist():
            row, column = divmod(at, len(means))
            pairs.append((-float(scores[at]), start + row, column))
    members = [label for _, *both in sorted(pairs) for label in both]
    return np.asarray(list(dict.fromkeys(members))[:MOST_LABELS], dtype=np.intp)


def _within(summed: np.ndarray, number: int) -> float | None:
    """Mean score of the pairs of one label; None where it has one sample."""
    return (float(summed @ summed) - number) / (number * (number - 1)) if number > 1 else None


def _cell(score: float | None) -> Cell:
    return Cell("", 0.0) if score is None else Cell(typeset(f"{score:.2f}"), round(min(max(score, 0.0), 1.0), 3))
