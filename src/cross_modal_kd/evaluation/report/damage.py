"""Both students on damaged test samples, where the study `robustness` has measured these students."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.evaluation.report.tables import Cell
from cross_modal_kd.models import ModelBundle, weights_of
from cross_modal_kd.plotting import typeset
from cross_modal_kd.samples import as_records
from cross_modal_kd.storage import parse_json, read_csv
from cross_modal_kd.tasks import kind_named

TABLE, ABOUT = "robustness.csv", "robustness_image.json"
CLEAN = "clean"
PLACES = 9
ERRORS = {"eer": "EER"}


@dataclass(frozen=True)
class DamageRow:
    """condition: kind and level. alone, distilled: the error. difference: distilled - alone, in points."""

    condition: str
    alone: Cell
    distilled: Cell
    difference: Cell


@dataclass(frozen=True)
class Damage:
    """What the page says of damaged samples.

    error: name of the error rate. samples: of the test split, that were measured. rows: a condition each; none where
    nothing was measured. image: an SVG element, or nothing. other: whether what was measured is of other students than
    the page's. sides: of a pair that is damaged. no_interval: why a difference has none.
    """

    error: str = ""
    samples: int = 0
    rows: list[DamageRow] = field(default_factory=list)
    image: str = ""
    other: bool = False
    sides: str = ""
    no_interval: str = ""


def find_damage(folder: Path, metrics: Mapping[str, Any], students: Mapping[str, str]) -> Damage:
    """What the study `robustness` has left, if it is of the students of this page.

    Args:
        folder: where the study's table lies, and its plot with the students that both are of.
        metrics: the content of metrics.json.
        students: by arm, the SHA-256 of the page's (``weights_of``).

    Returns:
        What the page shows; empty where the study was not run.
    """
    file = folder / TABLE
    if not file.is_file():
        return Damage()
    table, about = read_csv(file), _about(folder / ABOUT)
    rows = _rows_of(students, table, about)
    if rows is None:
        return Damage(other=True)
    name = kind_named(metrics["task"]["kind"]).error_metric
    reasons = table["no_interval"].dropna() if "no_interval" in table else pd.Series(dtype=object)
    pairs = zip(*map(as_records, rows), strict=True)
    return Damage(
        error=ERRORS.get(name, name.replace("_", " ")),
        rows=[_row(alone, distilled) for alone, distilled in pairs],
        samples=int(table["test_samples"].iloc[0]),
        image=str(about["svg"]),
        sides=str(table["damaged_sides"].iloc[0]),
        no_interval="" if reasons.empty else str(reasons.mode().iloc[0]),
    )


def _about(file: Path) -> Mapping[str, Any]:
    found = parse_json(file) if file.is_file() else {}
    return found if isinstance(found, dict) and "students" in found else {"students": [], "errors": []}


def _rows_of(
    students: Mapping[str, str], table: pd.DataFrame, about: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The rows of both students; None where the notes are of another table, or do not name both as page and study do.

    The student alone is the first of the study, to whom its differences are.
    """
    first, *others = about["students"] or [{"weights": []}]
    found = [each for each in others if each["weights"] == [students["distilled"]]]
    same_table = about["errors"] == table["error"].round(PLACES).fillna(-1).tolist()
    if not same_table or first["weights"] != [students["student_alone"]] or not found:
        return None
    alone, distilled = (
        table[(table["arm"] == each["arm"]) & (table["projection"] == each["projection"])] for each in (first, found[0])
    )
    return alone, distilled


def noted_students(table: pd.DataFrame, students: Sequence[tuple[str, str, Sequence[ModelBundle]]], svg: str) -> dict:
    """What ``find_damage`` needs to know beside the study's table.

    Args:
        table: of the study.
        students: arm, projection and the students of every contender.
        svg: the study's plot as an SVG element.

    Returns:
        Plain values, for a JSON file beside the table.
    """
    return {
        "svg": svg,
        "errors": table["error"].round(PLACES).fillna(-1).tolist(),
        "students": [
            {"arm": arm, "projection": projection, "weights": [weights_of(each) for each in models]}
            for arm, projection, models in students
        ],
    }


def _row(alone: Mapping[str, Any], distilled: Mapping[str, Any]) -> DamageRow:
    level = "" if alone["kind"] == CLEAN else f" {alone['level']:g} ({alone['unit']})"
    ends = [distilled["difference_to_alone_low"], distilled["difference_to_alone_high"]]
    there = all(math.isfinite(end) for end in ends)
    tone = "" if not there or min(ends) <= 0 <= max(ends) else "better" if max(ends) < 0 else "worse"
    between = " to ".join(_points(end) for end in ends) if there else ""
    return DamageRow(
        alone["kind"].replace("_", " ") + level,
        _error(alone),
        _error(distilled),
        Cell(_points(distilled["difference_to_alone"]), between, tone),
    )


def _error(row: Mapping[str, Any]) -> Cell:
    ends = [row["error_low"], row["error_high"]]
    between = " to ".join(map(_percent, ends)) if all(math.isfinite(end) for end in ends) else ""
    return Cell(_percent(row["error"]), between)


def _percent(share: float) -> str:
    return typeset(f"{100 * share:.1f}") + "\N{NO-BREAK SPACE}%"


def _points(share: float) -> str:
    return typeset(f"{100 * share:+.1f}")
