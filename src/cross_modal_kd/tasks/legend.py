"""What a metric is called, in which unit it is shown, and which way is better."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Legend:
    """Of one metric.

    title: as a reader sees it. section: core (of the task), conditions (the same within a part), matching, named
    (unseen classes by their words), shown (by a few samples) or diagnostics. better: which way, None where neither is.
    percent: shown as a percentage, its differences in points. reducible: it, or 1 - it, is an error rate. explains: in
    half a sentence.
    """

    title: str
    section: Literal["core", "conditions", "matching", "named", "shown", "diagnostics"]
    better: Literal["lower", "higher"] | None
    percent: bool
    reducible: bool
    explains: str


def error_legend(title: str, explains: str, percent: bool = True) -> Legend:
    """Of an error rate of the task: lower is better.

    Args:
        title: as a reader sees it.
        explains: in half a sentence.
        percent: whether it is shown as a percentage.

    Returns:
        A legend of the section core, reducible.
    """
    return Legend(title, "core", "lower", percent, True, explains)


def accuracy_legend(title: str, explains: str) -> Legend:
    """Of an accuracy of the task: higher is better, 1 - accuracy is the error.

    Args:
        title: as a reader sees it.
        explains: in half a sentence.

    Returns:
        A legend of the section core, reducible, shown as a percentage.
    """
    return Legend(title, "core", "higher", True, True, explains)


def matching_legend(title: str, explains: str, percent: bool = True) -> Legend:
    """Of cross-modal matching: higher is better.

    Args:
        title: as a reader sees it.
        explains: in half a sentence.
        percent: whether it is shown as a percentage.

    Returns:
        A legend of the section matching, not reducible.
    """
    return Legend(title, "matching", "higher", percent, False, explains)


def unseen_legend(title: str, explains: str, section: Literal["named", "shown"]) -> Legend:
    """Of classes that training has not seen: higher is better.

    Args:
        title: as a reader sees it.
        explains: in half a sentence.
        section: whether the classes are named by their words or shown by a few samples.

    Returns:
        A legend of that section, not reducible, shown as a percentage.
    """
    return Legend(title, section, "higher", True, False, explains)


def diagnostic_legend(title: str, explains: str, percent: bool = False) -> Legend:
    """Of what is neither good nor bad by itself.

    Args:
        title: as a reader sees it.
        explains: in half a sentence.
        percent: whether it is shown as a percentage.

    Returns:
        A legend of the section diagnostics, without a better way, not reducible.
    """
    return Legend(title, "diagnostics", None, percent, False, explains)
