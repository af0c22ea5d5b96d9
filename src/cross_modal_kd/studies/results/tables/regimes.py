"""The tables of the regimes, a row a condition and arm, and of what seeds and clusters contribute to them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cross_modal_kd.studies.results.numbers import NOTHING, number
from cross_modal_kd.studies.results.tables.arms import (
    COLUMNS,
    DIAGNOSTICS,
    arms_table,
    over_folds,
    projection_in_words,
    unseen_tables,
)
from cross_modal_kd.studies.results.tables.table import Table, records

STUDIES = {
    "labels": "Share of labelled training samples, all pairs used",
    "teacher": "Teacher strength",
    "noise": "Damaged training inputs, and what quality weights are worth there",
    "width": "Width of the student",
    "length": "Length of the training",
    "crossfit": "Cross-fitting: out-of-fold teacher outputs",
    "weight": "Weight of the constraints, hard beside soft",
    "variants": "Variants: the margin alone, the reducer, a projection trained on",
}


# of a study, beside the columns of all
OWN = {
    "weight": {
        name: DIAGNOSTICS[name]
        for name in (
            "teacher_student_distance_train",
            "teacher_student_distance_test",
            *(f"active_fraction_{term}" for term in ("feature", "classifier")),
        )
    }
}
BASELINE = {"difference_to_baseline": "difference to the baseline, points"}  # SimCLR where nothing is labelled
FACTS = {
    "labelled_samples": "labelled samples",
    "teacher_error_test": "the teacher's own error, %",
    "encoder_parameters": "parameters of the encoder",
}


def regimes_tables(frame: pd.DataFrame) -> list[Table]:
    """The tables of each study, a row a condition and arm.

    Args:
        frame: in the columns of ``comparison_table``, with ``study`` and ``condition``, and what studies add.

    Returns:
        Those of ``STUDIES`` in their order, then other studies as they come. Of each its errors, and after them
        ``unseen_tables``, whose last row is chance.
    """
    tables = []
    order = [study for study in STUDIES if (frame["study"] == study).any()]
    order += [study for study in frame["study"].unique() if study not in order]
    for study in order:
        rows = frame[frame["study"] == study]
        errors = arms_table(STUDIES.get(study, study), rows, COLUMNS | BASELINE | OWN.get(study, {}) | FACTS)
        conditions = rows["condition"].astype(str).tolist()
        for made in (errors, *unseen_tables(rows)):
            first = [*conditions, *([NOTHING] if made is not errors else [])]
            lines = [[condition, *line] for condition, line in zip(first, made.rows, strict=True)]
            tables.append(Table(f"{made.caption}{over_folds(rows)}", ["condition", *made.header], lines))
    return tables


def spread_tables(frame: pd.DataFrame) -> list[Table]:
    """What seeds and clusters contribute, a row an arm and contrast.

    Args:
        frame: in the columns of ``components_table``, with ``study`` and ``condition``.

    Returns:
        A table a study and condition, in percent.
    """
    header = ["arm", "projection", "of", "mean, %", "over clusters", "over seeds", "over both"]
    header += ["sd of one seed", "sd over seeds", "sd over clusters", "seeds"]
    tables = []
    for _, rows in frame.groupby(["study", "condition"], sort=False):
        study, condition = rows[["study", "condition"]].iloc[0].astype(str)
        lines = []
        for row in records(rows):
            what = "its errors" if pd.isna(row["contrast"]) or not row["contrast"] else _contrast(row, rows)
            columns = ("low_clusters", "high_clusters"), ("low_seeds", "high_seeds"), ("share_low", "share_high")
            ends = [f"[{number('error', row[low])}, {number('error', row[high])}]" for low, high in columns]
            spread = [number("error", row[f"sd_{name}"]) for name in ("single_seed", "seeds", "clusters")]
            about = [str(row["title"]), projection_in_words(row["projection"]), what]
            lines.append([*about, number("error", row["share"]), *ends, *spread, number("seeds", row["seeds"])])
        caption = f"{STUDIES.get(str(study), str(study))}: {condition}{over_folds(rows)}"
        tables.append(Table(caption, header, lines))
    return tables


def _contrast(row: Mapping[str, Any], rows: pd.DataFrame) -> str:
    """Whose errors are removed, and what the two have in common."""
    other = rows.loc[rows["arm"] == row["other"], "title"].iloc[0]
    said = "" if row["contrast"] == "baseline" else f" ({row['contrast']})"
    return f"errors of {other} that it removes{said}"
