"""Figures with their resamples, and two arms set against each other."""

from dataclasses import asdict

from cross_modal_kd.evaluation.legend import legend
from cross_modal_kd.metrics import (
    Figures,
    Interval,
    Measured,
    paired_difference,
    percentile_interval,
    relative_reduction,
)


def intervals(figures: Figures, level: float) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """{name: {value, low, high}} and what has no interval, with the reason."""
    found, undefined = {}, dict(figures.undefined)
    for name, measured in figures.measured.items():
        try:
            found[name] = _plain(percentile_interval(measured.value, measured.resampled, level))
        except ValueError as error:
            undefined[name] = str(error)
    return found, undefined


def compare(alone: Figures, distilled: Figures, level: float) -> dict[str, dict]:
    """Both arms, ``difference`` = distilled - alone in the same resamples, and ``relative_reduction`` of their errors.

    An error that falls from 8 % to 6 % is reduced by 0.25. Of an accuracy, 1 - accuracy is the error.
    """
    before, missing_before = intervals(alone, level)
    after, missing_after = intervals(distilled, level)
    shared = [name for name in before if name in after]
    undefined = missing_before | missing_after
    difference, reduction = {}, {}
    for name in shared:
        first, second = alone.measured[name], distilled.measured[name]
        difference[name] = _plain(
            paired_difference(first.value, second.value, first.resampled, second.resampled, level)
        )
        known = legend(name)
        if not known.reducible:
            continue
        errors = [_error(measured, known.better) for measured in (first, second)]
        try:
            reduction[name] = _plain(
                relative_reduction(errors[0].value, errors[1].value, errors[0].resampled, errors[1].resampled, level)
            )
        except ValueError as error:
            undefined[f"relative_reduction.{name}"] = str(error)
    return {
        "student_alone": {name: before[name] for name in shared},
        "distilled": {name: after[name] for name in shared},
        "difference": difference,
        "relative_reduction": reduction,
        "chance": {name: value for name, value in distilled.chance.items() if name in shared},
        "undefined": undefined,
    }


def _error(measured: Measured, better: str | None) -> Measured:
    return measured if better == "lower" else Measured(1 - measured.value, 1 - measured.resampled)


def _plain(interval: Interval) -> dict[str, float]:
    return {name: value for name, value in asdict(interval).items() if name != "level"}
