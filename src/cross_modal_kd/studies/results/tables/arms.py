"""The tables of comparison.csv, a row an arm; those of the regimes have its columns."""

from collections.abc import Mapping

import pandas as pd

from cross_modal_kd.evaluation import SECTIONS, legend_of
from cross_modal_kd.studies.results.numbers import NOTHING, number
from cross_modal_kd.studies.results.tables.table import Table, cell, records
from cross_modal_kd.studies.words import PROJECTIONS, without_interval

ERROR = {"eer": "EER, %", "top1_error": "top-1 error, %"}
COLUMNS = {
    "error_sd_over_seeds": "sd over seeds",
    "difference_to_baseline": "difference to alone, points",
    "relative_reduction_to_baseline": "relative reduction, %",
    "relative_reduction_to_baseline_both": "the same, over seeds too, %",
    "relative_reduction_to_hard": "reduction against the hard arm, %",
    "relative_reduction_to_other": "reduction against the other arm, %",
    "other_arm": "other arm",
    "matching_1_2_unseen": "1:2 matching, test samples, %",
    "seeds": "seeds",
}
DIAGNOSTICS = {
    "teacher_student_distance_train": "distance to the teacher, train",
    "teacher_student_distance_test": "distance, test",
    "eer_train": "EER on train, %",
    "eer_gap_test_minus_train": "EER gap, points",
    "top1_train": "top-1 on train, %",
    "top1_gap_train_minus_test": "top-1 gap, points",
    "active_fraction_feature": "active in the last epoch, feature, %",
    "active_fraction_classifier": "active in the last epoch, classifier, %",
    "active_fraction_relation": "active in the last epoch, relation, %",
    "retrieval_map_unseen": "retrieval mAP, test samples",
    "train_seconds_mean": "training, s",
}


def comparison_tables(frame: pd.DataFrame) -> list[Table]:
    """The arms with their differences, and the diagnostics.

    Args:
        frame: in the columns of ``comparison_table``.

    Returns:
        Two tables, each with a row an arm and projection, and between them one for each of ``UNSEEN`` that there is.
    """
    return [
        arms_table(
            f"The arms, mean over the seeds; intervals are paired and resample clusters of {_tests_of(frame)}", frame
        ),
        *unseen_tables(frame),
        _table("Diagnostics of the arms", frame, DIAGNOSTICS),
    ]


def over_folds(rows: pd.DataFrame) -> str:
    """The end of a caption where rows are of several folds; a table of several studies may have some that are not.

    Args:
        rows: in the columns of ``comparison_table``.

    Returns:
        The end; nothing where rows are of one split.
    """
    return f", on {_tests_of(rows)}" if "folds" in rows and rows["folds"].notna().all() else ""


def _tests_of(frame: pd.DataFrame) -> str:
    return f"the tests of all {int(frame['folds'].iloc[0])} folds" if "folds" in frame else "the test split"


UNSEEN = {section: f"{SECTIONS[section]}: accuracy, %" for section in ("named", "shown")}


def unseen_tables(frame: pd.DataFrame) -> list[Table]:
    """How well classes that training has not seen are known, by each way to be told of them.

    Args:
        frame: in the columns of ``comparison_table`` and of ``unseen_columns``.

    Returns:
        A table for each of ``UNSEEN`` that was measured: a row an arm, and below them chance.
    """
    return [_unseen(*each, frame) for each in UNSEEN.items() if _metrics_of(each[0], frame)]


def _metrics_of(section: str, frame: pd.DataFrame) -> list[str]:
    names = [str(column).removesuffix("_chance") for column in frame if str(column).endswith("_chance")]
    return [name for name in names if legend_of(name).section == section and frame[name].notna().any()]


def _unseen(section: str, caption: str, frame: pd.DataFrame) -> Table:
    names = _metrics_of(section, frame)
    table = _table(caption, frame, {name: legend_of(name).title for name in names})
    chances = [(name, frame[f"{name}_chance"].dropna().iloc[0]) for name in names]
    chance = [f"{number(name, value)} (1 in {1 / value:.0f})" for name, value in chances]
    empty = [NOTHING] * (len(table.header) - len(names) - 1)
    return Table(table.caption, table.header, [*table.rows, ["chance", *empty, *chance]])


def headline(frame: pd.DataFrame) -> Table:
    """What the index shows of a comparison.

    Args:
        frame: in the columns of ``comparison_table``.

    Returns:
        A row an arm and projection: error, reduction against the baseline, matching, number of seeds.
    """
    kept = {name: COLUMNS[name] for name in ("relative_reduction_to_baseline", "matching_1_2_unseen", "seeds")}
    return arms_table(f"Every arm against the student alone{over_folds(frame)}", frame, kept)


def arms_table(caption: str, frame: pd.DataFrame, columns: Mapping[str, str] = COLUMNS) -> Table:
    """A row an arm: its error over the seeds and those of ``columns`` that there are.

    Args:
        caption: of the table.
        frame: in the columns of ``comparison_table``; at least one row.
        columns: title by name of a column of ``frame``; one that is missing or empty is left out.

    Returns:
        The table; with a column for the projection where there are several.
    """
    metric = ERROR.get(str(frame["error_metric"].iloc[0]), "error, %")
    with_error = frame.rename(columns={"error_mean": "error"})
    return _table(caption, with_error, {"error": metric, **columns})


def _table(caption: str, frame: pd.DataFrame, columns: Mapping[str, str]) -> Table:
    there = {name: title for name, title in columns.items() if name in frame and frame[name].notna().any()}
    several = frame["projection"].nunique() > 1
    rows = []
    for row in records(frame):
        name = [str(row["title"]), *([projection_in_words(str(row["projection"]))] if several else [])]
        rows.append([*name, *(cell(row, column) for column in there)])
    return Table(bearing(caption, frame), ["arm", *(["projection"] if several else []), *there.values()], rows)


def bearing(caption: str, frame: pd.DataFrame) -> str:
    """The caption, with why there are no intervals where there are none.

    Args:
        caption: of the table.
        frame: its rows.

    Returns:
        The caption, as it is where there are intervals.
    """
    return caption if (lacking := without_interval(frame)) is None else f"{caption}. {lacking.removesuffix('.')}"


def projection_in_words(kind: str) -> str:
    """What stands in the column of the projection.

    Args:
        kind: of the projection, or ``no teacher``.

    Returns:
        The words; a dash without a teacher.
    """
    return NOTHING if kind == "no teacher" else PROJECTIONS.get(kind, kind)
