"""The tables of a page, from what the reporting folder holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cross_modal_kd.evaluation import SECTIONS, legend_of, tested_on
from cross_modal_kd.studies.results.numbers import NOTHING, in_percent, number, with_interval
from cross_modal_kd.studies.words import PROJECTIONS, without_interval


@dataclass(frozen=True)
class Table:
    """A table as it is printed.

    Attributes:
        caption: over it.
        header: of the columns.
        rows: of printed cells, as many as the header has.
    """

    caption: str
    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """The caption in bold, and the table."""
        rule = ["---" if column == 0 else "---:" for column in range(len(self.header))]
        lines = [_line(cells) for cells in (self.header, rule, *self.rows)]
        return "\n".join([f"**{self.caption}**", "", *lines])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def cell(row: Mapping[str, Any], name: str) -> str:
    """A column of a row, with its interval where its ends are there.

    Args:
        row: values by column; ``<name>_low`` and ``<name>_high`` are the ends.
        name: of the column.

    Returns:
        The printed number; a dash where the row does not have it.
    """
    if f"{name}_low" in row:
        return with_interval(name, row.get(name), row[f"{name}_low"], row[f"{name}_high"])
    return number(name, row.get(name))


# -- metrics.json ----------------------------------------------------------------------------------------------------


def metrics_tables(metrics: dict) -> list[Table]:
    """Both students, metric by metric.

    Args:
        metrics: what metrics.json holds: ``student_alone``, ``distilled``, ``difference`` and ``relative_reduction``,
            each {metric: {value, low, high}}, ``chance`` {metric: value}, and ``arms`` with their titles.

    Returns:
        One table, a row a metric of ``difference``.
    """
    return [_students(list(metrics["difference"]), metrics)]


def metrics_headline(metrics: dict) -> Table:
    """The metrics of the task itself.

    Args:
        metrics: what metrics.json holds, see ``metrics_tables``.

    Returns:
        A row a metric that the legends call ``core``.
    """
    return _students([name for name in metrics["difference"] if legend_of(name).section == "core"], metrics)


def _students(names: list[str], metrics: dict) -> Table:
    rows = [_metric(name, metrics) for name in names]
    arms = [metrics["arms"][arm].get("title") or arm for arm in ("student_alone", "distilled")]
    header = ["metric", *arms, "difference", "relative error reduction, %", "chance"]
    return Table(f"Both students on {tested_on(metrics)}", header, rows)


def _metric(name: str, metrics: dict) -> list[str]:
    def of(part: str, metric: str) -> str:
        found = metrics[part].get(name)
        return NOTHING if found is None else with_interval(metric, found["value"], found["low"], found["high"])

    known = legend_of(name)
    title = known.title + (", %" if in_percent(name) else "")
    chance = number(name, metrics["chance"].get(name))
    cells = [of(part, name) for part in ("student_alone", "distilled", "difference")]
    return [title, *cells, of("relative_reduction", "relative_reduction"), chance]


# -- comparison.csv and the tables of the regimes, which have its columns ---------------------------------------------

ERROR = {"eer": "EER, %", "top1_error": "top-1 error, %"}
COLUMNS = {
    "error_sd_over_seeds": "sd over seeds",
    "difference_to_baseline": "difference to alone, points",
    "relative_reduction_to_baseline": "relative reduction, %",
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
    "active_fraction_feature": "active, feature, %",
    "active_fraction_classifier": "active, classifier, %",
    "active_fraction_relation": "active, relation, %",
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
        *(_unseen(*each, frame) for each in UNSEEN.items() if _metrics_of(each[0], frame)),
        _table("Diagnostics of the arms", frame, DIAGNOSTICS),
    ]


def _over_folds(rows: pd.DataFrame) -> str:
    """The end of a caption where rows are of several folds; a table of several studies may have some that are not."""
    return f", on {_tests_of(rows)}" if "folds" in rows and rows["folds"].notna().all() else ""


def _tests_of(frame: pd.DataFrame) -> str:
    return f"the tests of all {int(frame['folds'].iloc[0])} folds" if "folds" in frame else "the test split"


UNSEEN = {section: f"{SECTIONS[section]}: accuracy, %" for section in ("named", "shown")}


def _metrics_of(section: str, frame: pd.DataFrame) -> list[str]:
    names = [str(column).removesuffix("_chance") for column in frame if str(column).endswith("_chance")]
    return [name for name in names if legend_of(name).section == section and frame[name].notna().any()]


def _unseen(section: str, caption: str, frame: pd.DataFrame) -> Table:
    """Chance stands below the arms."""
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
    return arms_table(f"Every arm against the student alone{_over_folds(frame)}", frame, kept)


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
        name = [str(row["title"]), *([_projection(str(row["projection"]))] if several else [])]
        rows.append([*name, *(cell(row, column) for column in there)])
    return Table(_bearing(caption, frame), ["arm", *(["projection"] if several else []), *there.values()], rows)


def _bearing(caption: str, frame: pd.DataFrame) -> str:
    """The caption, with why there are no intervals where there are none."""
    return caption if (lacking := without_interval(frame)) is None else f"{caption}. {lacking.removesuffix('.')}"


def _projection(kind: str) -> str:
    return NOTHING if kind == "no teacher" else PROJECTIONS.get(kind, kind)


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
FACTS = {
    "labelled_samples": "labelled samples",
    "teacher_error_test": "the teacher's own error, %",
    "encoder_parameters": "parameters of the encoder",
}


def regimes_tables(frame: pd.DataFrame) -> list[Table]:
    """One table a study, a row a condition and arm.

    Args:
        frame: in the columns of ``comparison_table``, with ``study`` and ``condition``, and what studies add.

    Returns:
        Those of ``STUDIES`` in their order, then other studies as they come.
    """
    tables = []
    order = [study for study in STUDIES if (frame["study"] == study).any()]
    order += [study for study in frame["study"].unique() if study not in order]
    for study in order:
        rows = frame[frame["study"] == study]
        made = arms_table(STUDIES.get(study, study), rows, COLUMNS | OWN.get(study, {}) | FACTS)
        caption = f"{made.caption}{_over_folds(rows)}"
        conditions = rows["condition"].astype(str).tolist()
        lines = [[condition, *line] for condition, line in zip(conditions, made.rows, strict=True)]
        tables.append(Table(caption, ["condition", *made.header], lines))
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
            about = [str(row["title"]), _projection(row["projection"]), what]
            lines.append([*about, number("error", row["share"]), *ends, *spread, number("seeds", row["seeds"])])
        caption = f"{STUDIES.get(str(study), str(study))}: {condition}{_over_folds(rows)}"
        tables.append(Table(caption, header, lines))
    return tables


def _contrast(row: Mapping[str, Any], rows: pd.DataFrame) -> str:
    """Whose errors are removed, and what the two have in common."""
    other = rows.loc[rows["arm"] == row["other"], "title"].iloc[0]
    said = "" if row["contrast"] == "baseline" else f" ({row['contrast']})"
    return f"errors of {other} that it removes{said}"


# -- the other files -------------------------------------------------------------------------------------------------


def tuning_tables(frame: pd.DataFrame) -> list[Table]:
    """The best trial of each arm, beside the arm as it was configured (its first trial).

    Args:
        frame: in the columns of ``tuning.search.summary``, with ``labelled`` where several shares were searched.

    Returns:
        One table, a row an arm (and share).
    """
    about = {"arm", "trial", "state", "dev", "larger_is_better", "best", "labelled"}
    shares = "labelled" in frame
    rows = []
    for _, trials in frame.groupby(["labelled", "arm"] if shares else ["arm"], sort=False):
        best = trials[trials["best"].astype(bool)].iloc[0]
        tried = {str(name): value for name, value in best.items() if name not in about and pd.notna(value)}
        values = [f"{name} {number('', value)}" for name, value in tried.items()]
        first, pruned = trials.sort_values("trial").iloc[0], int((trials["state"] == "pruned").sum())
        metrics = [number("dev", first["dev"]), number("dev", best["dev"])]
        named = [*([f"{100 * first['labelled']:g} %"] if shares else []), str(first["arm"])]
        rows.append([*named, str(len(trials)), str(pruned), *metrics, ", ".join(values) or "as configured"])
    metric = "top-1" if bool(frame["larger_is_better"].iloc[0]) else "EER"
    header = [*(["labelled"] if shares else []), "arm", "trials", "pruned"]
    header += [f"dev {metric} as configured, %", f"dev {metric} of the best, %", "its values"]
    return [Table("The best trial of each arm on the dev split; the test split was not read", header, rows)]


def robustness_tables(frame: pd.DataFrame) -> list[Table]:
    """A row a kind and level, a column an arm; the difference where there are two arms.

    Args:
        frame: a row a condition and arm: ``kind``, ``level``, ``unit``, ``severity`` (0: undamaged), ``arm``,
            ``title``, ``projection``, ``error`` and ``difference_to_alone`` with their ends, ``error_metric``,
            ``damaged_sides``.

    Returns:
        One table.
    """
    arms = frame.drop_duplicates(["arm", "projection"])
    several = arms["title"].duplicated().any()
    names = [f"{row['title']} ({row['projection']})" if several else str(row["title"]) for row in records(arms)]
    header = ["damage", "level", *names, *(["difference, points"] if len(arms) == 2 else [])]
    rows = []
    for _, group in frame.groupby(["kind", "severity"], sort=False):
        found = records(group)
        level = NOTHING if found[0]["severity"] == 0 else f"{found[0]['level']:g} ({found[0]['unit']})"
        difference = [cell(found[1], "difference_to_alone")] if len(arms) == 2 else []
        rows.append([str(found[0]["kind"]), level, *(cell(row, "error") for row in found), *difference])
    metric = ERROR.get(str(frame["error_metric"].iloc[0]), "error, %")
    sides = frame["damaged_sides"].iloc[0]
    caption = (
        f"{metric} under damage to the test samples ({'test side of a trial' if sides == 'test' else 'both sides'})"
    )
    return [Table(_bearing(caption, frame), header, rows)]


def ordering_tables(frame: pd.DataFrame) -> list[Table]:
    """One table a modality: measures down, degradations across.

    Args:
        frame: a row a modality, measure and degradation, with ``rank_correlation``, ``low`` and ``high``.

    Returns:
        By the modalities' names.
    """
    tables = []
    for modality, rows in frame.groupby("modality", sort=True):
        damages, cells = list(dict.fromkeys(rows["degradation"])), {}
        for row in records(rows):
            shown = with_interval("rank_correlation", row["rank_correlation"], row["low"], row["high"])
            cells[row["measure"], row["degradation"]] = shown
        lines = [
            [str(measure), *(cells.get((measure, damage), NOTHING) for damage in damages)]
            for measure in dict.fromkeys(rows["measure"])
        ]
        caption = (
            f"{str(modality).capitalize()}: rank correlation of each measure with less damage (1: orders it fully)"
        )
        tables.append(Table(caption, ["measure", *map(str, damages)], lines))
    return tables


DISCARDED = (0.0, 0.2, 0.5)


def discard_tables(frame: pd.DataFrame) -> list[Table]:
    """The error at a few shares left out, worst first, beside random order.

    Args:
        frame: a row a measure and share: ``measure``, ``share_left_out``, ``eer``, ``eer_random_order`` and
            ``area_over_random`` (the same in all rows of a measure).

    Returns:
        One table, a row a measure; of each share in ``DISCARDED`` the nearest that there is.
    """
    rows = []
    for measure, curve in frame.groupby("measure", sort=False):
        cells = []
        for share in DISCARDED:
            row = curve.iloc[(curve["share_left_out"] - share).abs().argmin()]
            found = number("eer", row["eer"])
            if share:
                found += f" (random {number('eer', row['eer_random_order'])})"
            cells.append(found)
        rows.append([str(measure), *cells, number("area", curve["area_over_random"].iloc[0])])
    header = ["measure", *(f"EER at about {share:.0%} left out, %" for share in DISCARDED), "area over random order"]
    return [Table("Error as the worst samples are left out; an area below 1 is better than random", header, rows)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, each as a mapping from column to value.

    Args:
        frame: a table.

    Returns:
        In the table's order; columns by their names as text.
    """
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
