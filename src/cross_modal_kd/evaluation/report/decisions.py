"""Thresholds and probabilities, found on dev, as the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cross_modal_kd.plotting import ARMS, typeset


@dataclass(frozen=True)
class Point:
    """One threshold of one student: rates in percent; ``reason`` in place of all of them where there is none."""

    arm: str
    threshold: str = ""
    dev: tuple[str, str] = ("", "")
    upper: str = ""
    test: tuple[str, str] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Decisions:
    """points: by what a threshold stands for. trials: targets, impostors and labels on dev.

    temperatures: of the probabilities, a sentence a student.
    """

    points: list[tuple[str, list[Point]]]
    trials: tuple[int, int, int]
    temperatures: list[tuple[str, str]]


def shown_decisions(operating: Mapping[str, Mapping[str, Any]]) -> Decisions:
    """The operating points of both students.

    Args:
        operating: by arm, thresholds and temperature as the stage found them on dev.

    Returns:
        What the page shows; points are none where the kind of task compares no pairs.
    """
    of = operating["distilled"]
    by_name: dict[str, list[Point]] = {}
    for arm in ARMS:
        for each in operating[arm]["thresholds"]:
            by_name.setdefault(each["name"], []).append(_point(arm, each))
    return Decisions(
        points=[(_title(name), points) for name, points in by_name.items()],
        trials=(of["targets"], of["impostors"], of["labels"]),
        temperatures=[] if of["thresholds"] else [(ARMS[arm][0], _temperature(operating[arm])) for arm in ARMS],
    )


def _title(name: str) -> str:
    if name.startswith("min_dcf_"):
        return f"least cost, p = 0.{name.removeprefix('min_dcf_')}"
    if name.startswith("far_"):
        return f"FAR {100 * float(name.removeprefix('far_')):g}\N{NO-BREAK SPACE}%"
    return name.upper()


def _point(arm: str, found: Mapping[str, Any]) -> Point:
    if found["value"] is None:
        return Point(arm, reason=found["reason"])
    test = None if found["test_far"] is None else (_percent(found["test_far"]), _percent(found["test_frr"]))
    return Point(
        arm,
        typeset(f"{found['value']:.3f}"),
        (_percent(found["far"]), _percent(found["frr"])),
        _percent(found["far_upper"]),
        test,
    )


def _temperature(operating: Mapping[str, Any]) -> str:
    found = operating["temperature"]
    if found["value"] is None:
        return found["reason"]
    return (
        f"temperature {found['value']:.2f}, found on {found['samples']:,} dev samples, whose mean log-loss it brings "
        f"from {found['before']:.3f} to {found['after']:.3f}"
    )


def _percent(share: float) -> str:
    """With as many digits as small rates need."""
    return f"{100 * share:.{1 if share >= 0.01 or not share else 2}f}\N{NO-BREAK SPACE}%"
