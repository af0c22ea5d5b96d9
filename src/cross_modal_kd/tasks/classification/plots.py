"""Can confidence be believed, and which classes gain or lose?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cross_modal_kd.metrics import calibration_error
from cross_modal_kd.plotting import ARMS, DISTILLED, INK, legend, new_figure, say, title
from cross_modal_kd.samples import class_numbers
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.on_test import StudentsOnTest

BINS = 15
FEWEST = 10
CLASSES = 14
CONFUSIONS = 10


def reliability_plot(students: StudentsOnTest) -> Figure:
    """Accuracy against confidence, and how many samples have that confidence; on the diagonal it can be believed.

    Args:
        students: both arms on the test split.

    Returns:
        Two panels with a line an arm; 15 bins of confidence, of which those with fewer than ten samples (or than the
        fullest has) show no accuracy.
    """
    figure, (axis, counts) = new_figure(2, 1, height=5.0, sharex=True, height_ratios=[3, 1])
    axis.plot([0, 1], [0, 1], color=INK, linewidth=0.7, alpha=0.4)
    edges = np.linspace(0, 1, BINS + 1)
    for arm, (name, colour) in ARMS.items():
        answers, labels = _answers(students, arm)
        confidence, right = answers.max(axis=1), answers.argmax(axis=1) == labels
        place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        number = np.bincount(place, minlength=BINS)
        kept = number >= min(FEWEST, number.max())
        mean = [np.bincount(place, values, BINS)[kept] / number[kept] for values in (confidence, right)]
        error = calibration_error(answers, labels, BINS)
        axis.plot(*mean, "o-", color=colour, linewidth=2, markersize=5, label=f"{name} (error {100 * error:.1f} %)")
        counts.stairs(number, edges, color=colour, linewidth=1.8)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share that is right")
    counts.set(xlabel="confidence in the first answer", ylabel="samples")
    counts.yaxis.get_major_locator().set_params(integer=True)
    title(axis, "Reliability")
    legend(axis, loc="upper left")
    return figure


def classes_plot(students: StudentsOnTest) -> Figure:
    """The classes whose accuracy changes most, and what the distilled student takes for what.

    Args:
        students: both arms on the test split.

    Returns:
        Two panels: the accuracy of at most 14 classes in both arms, and the ten most frequent confusions.
    """
    classes = [name.replace("$", r"\$") for name in students.students["distilled"].config["classes"]]
    names = np.asarray(classes, dtype=object)
    accuracy, confusions = {}, pd.Series(dtype=int)
    for arm in ARMS:
        answers, labels = _answers(students, arm)
        predicted = answers.argmax(axis=1)
        accuracy[arm] = pd.Series(predicted == labels).groupby(names[labels]).mean()
        wrong = predicted != labels
        confusions = pd.Series([f"{a} \N{RIGHTWARDS ARROW} {b}" for a, b in zip(
            names[labels[wrong]], names[predicted[wrong]], strict=True
        )], dtype="str").value_counts().head(CONFUSIONS)  # fmt: skip
    change = (accuracy["distilled"] - accuracy["student_alone"]).sort_values()
    half = CLASSES // 2
    shown = change if len(change) <= CLASSES else pd.concat([change.head(half), change.tail(half)])
    figure, (left, right) = new_figure(2, 1, height=6.6, height_ratios=[len(shown) + 1, max(len(confusions), 3)])
    where = np.arange(len(shown))
    for place, name in zip(where, shown.index, strict=True):
        left.plot([accuracy[arm][name] for arm in ARMS], [place, place], color=DISTILLED, alpha=0.35, linewidth=3)
    for arm, (title_of_arm, colour) in ARMS.items():
        left.plot(accuracy[arm][shown.index], where, "o", color=colour, markersize=6, label=title_of_arm)
    left.set_yticks(where, shown.index)
    left.set(xlim=(-0.02, 1.02), xlabel="accuracy of the class")
    title(left, "Classes that change most")
    if confusions.empty:
        say(right, "The distilled student takes no test sample for another class.")
    places = -np.arange(len(confusions))
    right.barh(places, confusions, color=DISTILLED, alpha=0.8, height=0.6)
    right.set_yticks(places, confusions.index)
    right.set(xlabel="test samples", ylim=(0.5 - max(len(confusions), 3), 0.5))  # one bar is as thick as one of many
    right.xaxis.get_major_locator().set_params(integer=True)
    title(right, "What the distilled student takes for what")
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper right", ncols=2, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def _answers(students: StudentsOnTest, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, C) probabilities and (n,) class numbers of the test samples."""
    rows, student = students.rows, students.students[arm]
    answers = probabilities(student, students.embeddings[arm].at(rows["sample_id"]))
    return answers, class_numbers(rows["label"], student.config["classes"])
