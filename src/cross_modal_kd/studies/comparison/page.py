"""A comparison on one page that needs nothing beside it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.evaluation import SECTIONS, legend_of, shown, shown_change
from cross_modal_kd.plotting import page_style, typeset
from cross_modal_kd.samples import as_records
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.unseen import UNSEEN
from cross_modal_kd.studies.words import arm_label, without_interval
from cross_modal_kd.tasks import Legend, kind_of
from cross_modal_kd.tracking import git_facts, this_run

TEMPLATE = "comparison.html.jinja"
CAPTIONS = {
    "forest": (
        "Errors removed by each arm",
        "The share of the baseline's errors that is gone, with its paired interval; thin, the one over seeds too, cut "
        "where it goes far beyond. Right of zero is better, grey where the widest includes zero or there is none.",
    ),
    "curves": (
        "How the trainings went",
        "The metric on the dev split that chose the checkpoints, the mean over the seeds; of several folds the first.",
    ),
    "distances": (
        "How far from the teacher",
        "1 less the cosine, on training and on test samples. What lies between the two does not carry over to unseen "
        "samples.",
    ),
}
NO_TEACHER = "no teacher"
DIAGNOSTICS = {
    "teacher_student_distance_test": ("distance to the teacher", "1 less the cosine, on test samples"),
    "teacher_student_distance_train": ("the same, training samples", ""),
    "train_seconds_mean": ("seconds of training", "of one student, mean over the seeds"),
}


@dataclass(frozen=True)
class Cell:
    """text: the value. interval: its ends. both: those over seeds too, of several. tone: better, worse, or nothing.

    The widest interval that there is decides the tone: nothing where it includes zero.
    """

    text: str = ""
    interval: str = ""
    tone: str = ""
    both: str = ""


@dataclass(frozen=True)
class Arm:
    """A row of the first table. seeds: of its students. better: in how many of the common ones it beats the baseline.

    hard: the difference to its hard counterpart, whose name is ``hard_label``.
    """

    label: str
    error: Cell
    spread: str
    difference: Cell
    reduction: Cell
    better: str
    seeds: int
    hard: Cell
    hard_label: str
    is_baseline: bool


@dataclass(frozen=True)
class Section:
    """Arms by metric: columns, and of each arm its label and a value and a difference a column.

    chance: of each column, empty where it has none.
    """

    title: str
    columns: list[Legend]
    chance: list[str]
    rows: list[tuple[str, list[tuple[Cell, Cell]]]] = field(default_factory=list)


def comparison_page(
    table: pd.DataFrame,
    metrics: pd.DataFrame,
    task: TaskConfig,
    comparison: ComparisonConfig,
    images: Mapping[str, str],
) -> str:
    """The page as HTML with everything inside it; all values are escaped.

    Args:
        table: of ``comparison_table``.
        metrics: of ``metrics_table``.
        task: what was learnt.
        comparison: the grid.
        images: SVG elements (``plotting.inline_svg``) by name: forest, curves, distances.

    Returns:
        One HTML document, for light and dark, wide and narrow screens; it opens no address.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    arms, kind = _arms(table, comparison.baseline), kind_of(task)
    return environment.get_template(TEMPLATE).render(
        task=task,
        comparison=comparison,
        level=f"{100 * comparison.level:g}",
        error=legend_of(kind.metric),
        is_error=kind.metric == kind.error_metric,
        folds=int(table["folds"].iloc[0]) if "folds" in table else 1,
        cluster=kind.design.cluster,
        arms=arms,
        verdict=_verdict(arms),
        baseline=next((arm.label for arm in arms if arm.is_baseline), comparison.baseline),
        lacking=without_interval(table),
        sections=_sections(metrics, table),
        diagnostics=[(title, why, _plain(table, name)) for name, (title, why) in DIAGNOSTICS.items() if name in table],
        plots=[(images[name], *words) for name, words in CAPTIONS.items() if name in images],
        style=page_style(list(images.values())),
        command=this_run().command,
        facts=git_facts(this_run().project),
        today=date.today().isoformat(),
    )


def _arms(table: pd.DataFrame, baseline: str) -> list[Arm]:
    return [_arm(row, baseline, table) for row in as_records(table)]


def _arm(row: Mapping[str, Any], baseline: str, table: pd.DataFrame) -> Arm:
    better = row.get("seeds_better_than_baseline")
    return Arm(
        label=_label(row),
        error=_cell(row, "error_mean", _percent, ("error_low", "error_high")),
        spread="" if not _there(row["error_sd_over_seeds"]) else _percent(row["error_sd_over_seeds"]),
        difference=_cell(row, "difference_to_baseline", _points, lower_is_better=True),
        reduction=_cell(row, "relative_reduction_to_baseline", _share),
        better=f"{better:.0f} of {_common(row, baseline, table)}" if _there(better) else "",
        seeds=int(row["seeds"]),
        hard=_cell(row, "difference_to_hard", _points, lower_is_better=True),
        hard_label=_title_of(row.get("hard_arm"), table),
        is_baseline=row["arm"] == baseline,
    )


def _common(row: Mapping[str, Any], baseline: str, table: pd.DataFrame) -> int:
    """In how many seeds the arm and the baseline were both trained."""
    rows = table[table["arm"] == baseline]
    same = rows[rows["projection"] == row["projection"]]
    other = (same if len(same) else rows)["seed_list"].iloc[0]
    return len(set(str(row["seed_list"]).split()) & set(str(other).split()))


def _verdict(arms: Sequence[Arm]) -> tuple[str, str]:
    """What the intervals say, and its tone."""
    others = [arm for arm in arms if not arm.is_baseline]
    found = {tone: [arm for arm in others if arm.difference.tone == tone] for tone in ("better", "worse")}
    if not others:
        return "One arm alone: nothing is compared.", ""
    if not any(arm.difference.interval for arm in others):
        return "No difference has an interval, and so there is no verdict.", ""
    counted = {tone: len(arms) for tone, arms in found.items() if arms}
    parts = [f"{n} of {len(others)} {'is' if n == 1 else 'are'} {tone}" for tone, n in counted.items()]
    if not parts:
        return "No interval of a difference leaves zero out: nothing is shown to be better or worse.", ""
    tone = "better" if not found["worse"] else "worse" if not found["better"] else ""
    return f"{' and '.join(parts)} than the baseline, by intervals that leave zero out.", tone


def _sections(metrics: pd.DataFrame, table: pd.DataFrame) -> list[Section]:
    titles = {"core": "The task", "matching": "Cross-modal matching", **{name: SECTIONS[name] for name in UNSEEN}}
    chances = metrics.drop_duplicates("metric").set_index("metric").get("chance", pd.Series(dtype=float))
    names = list(dict.fromkeys(metrics["metric"]))
    labels = {(row["arm"], _kind(row)): _label(row) for row in as_records(table)}
    sections = []
    for key, title in titles.items():
        own = [name for name in names if legend_of(name).section == key]
        if not own:
            continue
        section = Section(title, [legend_of(name) for name in own], [_chance(name, chances) for name in own])
        for (arm, projection), rows in metrics.groupby(["arm", "projection"], sort=False):
            by_name = {row["metric"]: row for row in as_records(rows)}
            label = labels.get((str(arm), str(projection)), labels.get((str(arm), NO_TEACHER), str(arm)))
            section.rows.append((label, [_both(by_name.get(name), name) for name in own]))
        sections.append(section)
    return sections


def _chance(name: str, chances: pd.Series) -> str:
    chance = float(chances.get(name, math.nan))
    if not _there(chance):
        return ""
    return shown(name, chance) + (f" (1 in {1 / chance:.0f})" if legend_of(name).section in UNSEEN else "")


def _both(row: Mapping[str, Any] | None, name: str) -> tuple[Cell, Cell]:
    if row is None:
        return Cell("\N{EN DASH}"), Cell()
    better = legend_of(name).better
    value = _cell(row, "value", lambda share: shown(name, share), toned=False)
    lower = better == "lower"
    change = _cell(row, "difference", lambda share: shown_change(name, share), None, lower, toned=better is not None)
    return value, change


def _cell(
    row: Mapping[str, Any],
    name: str,
    show: Callable[[float], str],
    ends: tuple[str, str] | None = None,
    lower_is_better: bool = False,
    toned: bool = True,
) -> Cell:
    """A value with its ends; its tone says on which side of zero they lie, where they are a difference's."""
    if not _there(row.get(name)):
        return Cell()
    low, high = (row.get(end) for end in ends or (f"{name}_low", f"{name}_high"))
    if low is None or high is None or not (_there(low) and _there(high)):
        return Cell(show(row[name]))
    interval, both, tone = f"{show(low)} to {show(high)}", "", ""
    if ends is None and _there(row.get(f"{name}_both_low")):
        low, high = row[f"{name}_both_low"], row[f"{name}_both_high"]
        both = f"{show(low)} to {show(high)}"
    if toned and ends is None and not low <= 0 <= high:
        tone = "better" if (high < 0) == lower_is_better else "worse"
    return Cell(show(row[name]), interval, tone, both)


def _plain(table: pd.DataFrame, name: str) -> list[tuple[str, str]]:
    return [(_label(row), typeset(f"{row[name]:.3g}")) for row in as_records(table) if _there(row[name])]


def _title_of(arm: Any, table: pd.DataFrame) -> str:
    named = table.loc[table["arm"] == arm, "title"] if isinstance(arm, str) else table["title"][:0]
    return str(named.iloc[0]) if len(named) else arm if isinstance(arm, str) else ""


def _label(row: Mapping[str, Any]) -> str:
    return arm_label(str(row["title"]), str(row["projection"]))


def _kind(row: Mapping[str, Any]) -> str:
    return str(row["projection"])


def _there(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _percent(share: float) -> str:
    return typeset(f"{100 * share:.1f}") + "\N{NO-BREAK SPACE}%"


def _points(share: float) -> str:
    return typeset(f"{100 * share:+.1f}")


def _share(share: float) -> str:
    return typeset(f"{100 * share:+.0f}") + "\N{NO-BREAK SPACE}%"
