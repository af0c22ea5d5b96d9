"""Everything that the page shows, and the page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import TaskConfig, TrainingConfig
from cross_modal_kd.evaluation.legend import legend_of, shown, tested_on
from cross_modal_kd.evaluation.report.captions import captions
from cross_modal_kd.evaluation.report.damage import Damage
from cross_modal_kd.evaluation.report.exhibits import Exhibit
from cross_modal_kd.evaluation.report.shown import FiguresSection
from cross_modal_kd.evaluation.report.tables import folds_table, metric_tables, not_defined, without_interval
from cross_modal_kd.evaluation.report.verdict import short_name, verdict
from cross_modal_kd.evaluation.summary import alone_name, is_bound
from cross_modal_kd.metrics import NARROW
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.plotting import page_style
from cross_modal_kd.samples import counted_in_words
from cross_modal_kd.tasks import kind_named, kind_of
from cross_modal_kd.tracking import device_facts, git_facts, leaves, this_run, version_facts

TEMPLATE, STYLE = "report.html.jinja", "report.css"
REASONS = 8


@dataclass(frozen=True)
class DataSection:
    """What the page says of the data.

    gallery: (name, the student's exhibits, the teacher's) of a few test labels. split_summary: counts. rejected: the
    source, path and reason of what was not used. quality_plot: an SVG element.
    """

    gallery: list[tuple[str, list[Exhibit], list[Exhibit]]]
    split_summary: pd.DataFrame
    rejected: pd.DataFrame
    quality_plot: str


@dataclass(frozen=True)
class RunSection:
    """What the page says of the run: blocks of parameters, and metrics of the stages before, by name."""

    parameters: Mapping[str, Any]
    stages: Mapping[str, dict]


@dataclass(frozen=True)
class Page:
    """Everything that the page shows.

    task: what was learnt. metrics: the content of metrics.json. images: SVG elements of the plots
    (``plotting.inline_svg``), by name.
    examples: of the distilled student's mistakes. data, run: what the page says of them.
    """

    task: TaskConfig
    metrics: dict
    images: Mapping[str, str]
    figures: FiguresSection
    data: DataSection
    run: RunSection
    damage: Damage = field(default_factory=Damage)


def render(page: Page) -> str:
    """The page as HTML with everything inside it; all values are escaped.

    Args:
        page: what it shows; a plot whose image is not there is left out.

    Returns:
        One HTML document, images inside; it also names the commit, the device and the versions of this process.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    images = {**page.images, "quality": page.data.quality_plot}
    counts = page.data.split_summary
    bound = is_bound(page.metrics)
    page_text = environment.get_template(TEMPLATE).render(
        task=page.task,
        closed_set=kind_of(page.task).design.closed_set,
        plural={name: modality_of(name).plural for name in (page.task.student, page.task.teacher)},
        metrics=page.metrics,
        bound=bound,
        verdict=verdict(page.metrics),
        short=short_name(page.metrics),
        labels=_labels(page.metrics),
        tables=metric_tables(page.metrics),
        without_interval=without_interval(page.metrics),
        not_defined=not_defined(page.metrics),
        some_interval=_has_interval(page.metrics),
        narrow=NARROW,
        teacher=[
            (legend_of(name).title, shown(name, interval["value"]), _ends(name, interval))
            for name, interval in page.metrics["teacher"].items()
        ],
        tested_on=tested_on(page.metrics),
        remarks=this_run().remarks,
        folds=folds_table(page.metrics),
        folds_of=legend_of(kind_of(page.task).metric).title,
        style=page_style([*images.values(), page.damage.image]),
        own_style=Path(__file__).with_name(STYLE).read_text(encoding="utf-8"),
        plots=[(images[name], *said) for name, *said in captions(page.task, bound) if name in images],
        figures=page.figures,
        damage=page.damage,
        uses_trials=kind_of(page.task).uses_trials,
        parts=_parts(page),
        gallery=page.data.gallery,
        split_summary=counts.astype(object).where(counts.notna(), ""),
        rejected=page.data.rejected["reason"].value_counts().head(REASONS).to_dict(),
        rejected_others=max(page.data.rejected["reason"].nunique() - REASONS, 0),
        rejected_total=len(page.data.rejected),
        parameters={name: _values(block) | _lengthened(block, page) for name, block in page.run.parameters.items()},
        stages={name: {key: _plain(value) for key, value in leaves(found)} for name, found in page.run.stages.items()},
        command=this_run().command,
        facts=git_facts(this_run().project) | device_facts() | version_facts(),
        today=date.today().isoformat(),
    )  # fmt: skip
    return _named(page_text, alone_name(page.metrics))


def _named(text: str, name: str) -> str:
    """The page with another name wherever it speaks of the student alone, which it then does not show."""
    for old in ("the student alone", "The student alone", "student alone", "Student alone"):
        text = text.replace(old, escape(name)) if name != "student alone" else text
    return text


def _parts(page: Page) -> list[tuple[str, str]]:
    """(id of a heading, its short name), in the order of the page."""
    decisions = page.figures.decisions
    there = {
        "metrics": "Metrics",
        "decisions": "Thresholds" if decisions.points else "Probabilities" if decisions.temperatures else "",
        "plots": "Plots",
        "planes": "Embeddings",
        "retrieval": "Retrieval",
        "confusion": "Confusion" if page.figures.confusion else "",
        "mistakes": "Mistakes",
        "damage": "Damage",
        "samples": "Samples",
        "parameters": "Parameters",
        "again": "Make it again",
    }
    return [(name, title) for name, title in there.items() if title]


def _labels(metrics: Mapping[str, Any]) -> str:
    """How many training samples have a label; empty where all have one."""
    counts = metrics.get("labels")
    return "" if counts is None else counted_in_words(counts)


def _ends(name: str, interval: Mapping[str, Any]) -> str:
    """Both ends in brackets, or that there is no interval."""
    ends = [interval["low"], interval["high"]]
    return "without an interval" if None in ends else f"[{', '.join(shown(name, end) for end in ends)}]"


def _has_interval(metrics: Mapping[str, Any]) -> bool:
    """Whether the metric that the task is about has one: then the page says what they are."""
    found = metrics["difference"].get(kind_named(metrics["task"]["kind"]).metric)
    return found is not None and found["low"] is not None


def _plain(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def _values(block: Any) -> dict[str, Any]:
    return {key: _typed(value) for key, value in leaves(block)}


def _lengthened(block: Any, page: Page) -> dict[str, Any]:
    """What ``min_steps`` made of a training of the student: its values where they are not those that were given."""
    if not isinstance(block, TrainingConfig):
        return {}
    counts = page.data.split_summary
    own = (counts["split"] == "train") & (counts["modality"] == page.task.student)
    used, given = _values(block.for_samples(int(counts.loc[own, "samples"].sum()))), _values(block)
    return {key: f"{value} (given: {given[key]})" for key, value in used.items() if value != given[key]}


def _typed(value: Any) -> Any:
    """As it is typed in a configuration: null, true."""
    return json.dumps(value) if value is None or isinstance(value, bool) else value
