"""Answers in words, for who reads them in a terminal."""

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

import click

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
        at: ``eer``, ``min_dcf``, ``far1%``, ``far0.1%``; or the name itself, ``far_0.001``.

    Returns:
        The name; of a student without any threshold what was given, as it is.

    Raises:
        BadParameter: it has thresholds, and none of that name.
    """
    there = list(model.thresholds)
    short = {name: _short(name) for name in there}
    for name in there:
        if at in (name, short[name]):
            return name
    if not there:
        return at
    names = ", ".join(name if name == short[name] else f"{short[name]} ({name})" for name in there)
    raise click.BadParameter(f"this student has no threshold {at!r}. There are: {names}", param_hint="--at")


def _short(name: str) -> str:
    """``far1%`` of ``far_0.01``: a percentage is never without its sign, which far_0.1 would be taken for."""
    if name.startswith("far_"):
        return f"far{100 * float(name.removeprefix('far_')):g}%"
    return "min_dcf" if name.startswith("min_dcf_") else name


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
