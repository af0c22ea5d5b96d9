"""Answers in words, for who reads them in a terminal."""

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

from cross_modal_kd.storage import visible_text

if TYPE_CHECKING:
    from cross_modal_kd.student import Quality, StudentModel, Threshold


def shown(text: Any) -> str:
    """A name of a file, or a label, without what would steer the terminal.

    Args:
        text: of any kind.

    Returns:
        The text on one line.
    """
    return visible_text(os.fspath(text) if isinstance(text, os.PathLike) else str(text))


def quality_words(quality: "Quality | None") -> str:
    """The quality of an input.

    Args:
        quality: of an answer; None says nothing.

    Returns:
        ``quality 0.41``, with the reason where it is poor.
    """
    if quality is None or (quality.score is None and not quality.poor):
        return ""
    score = "quality" if quality.score is None else f"quality {quality.score:.2f}"
    return f"{score}, POOR: {shown(quality.why)}" if quality.poor else score


def threshold_words(threshold: "Threshold | None", name: str) -> str:
    """What a threshold stands for.

    Args:
        threshold: of the student; None where it has none of that name.
        name: of it.

    Returns:
        Its score and its rates of error on dev, and on test beside them.
    """
    if threshold is None or threshold.value is None or threshold.far is None or threshold.frr is None:
        return ""
    words = (
        f"{name}, a score of {threshold.value:.4f}: on dev {_percent(threshold.far)} of the pairs of two labels are "
        f"accepted there (false acceptances), {_percent(threshold.frr)} of the pairs of one refused"
    )
    if threshold.test_far is None or threshold.test_frr is None:
        return words
    return f"{words} ({_percent(threshold.test_far)} and {_percent(threshold.test_frr)} on test)"


def threshold_called(model: "StudentModel", at: str) -> str:
    """The name of a threshold, also by its short names.

    Args:
        model: that has it.
        at: ``eer``, ``min_dcf``, ``far1`` (of 1 %), ``far0.1``; or the name itself, ``far_0.001``.

    Returns:
        The name; what is no short name of any as it is.
    """
    there = list(model.thresholds)
    if at in there:
        return at
    if at == "min_dcf":
        return next((name for name in there if name.startswith("min_dcf_")), at)
    try:
        return f"far_{float(at.removeprefix('far').removesuffix('%')) / 100:g}" if at.startswith("far") else at
    except ValueError:
        return at


def as_json(answer: Any) -> str:
    """An answer on one line of JSON.

    Args:
        answer: a dataclass of plain values.

    Returns:
        The line, in ASCII.
    """
    return json.dumps(dataclasses.asdict(answer), allow_nan=False, default=str)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
