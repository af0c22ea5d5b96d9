"""Everything that the page shows, and the page."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.evaluation.legend import legend, shown
from cross_modal_kd.evaluation.report.captions import captions
from cross_modal_kd.evaluation.report.examples import Group
from cross_modal_kd.evaluation.report.exhibits import Exhibit
from cross_modal_kd.evaluation.report.tables import metric_tables
from cross_modal_kd.evaluation.report.verdict import verdict
from cross_modal_kd.tracking.facts import device_facts, git_facts, version_facts
from cross_modal_kd.tracking.flatten import leaves

TEMPLATE = "report.html.jinja"
REASONS = 8


@dataclass(frozen=True)
class Page:
    """images: PNG bytes by name. gallery: (name, student's exhibits, teacher's). parameters, stages: blocks by name."""

    task: TaskConfig
    metrics: dict
    images: Mapping[str, bytes]
    examples: list[Group]
    gallery: list[tuple[str, list[Exhibit], list[Exhibit]]]
    split_summary: pd.DataFrame
    rejected: pd.DataFrame
    parameters: Mapping[str, Any]
    stages: Mapping[str, dict]


def render(page: Page) -> str:
    """The page as HTML with everything inside it; all values are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    images = {name: "data:image/png;base64," + base64.b64encode(data).decode() for name, data in page.images.items()}
    return environment.get_template(TEMPLATE).render(
        task=page.task,
        metrics=page.metrics,
        verdict=verdict(page.metrics),
        tables=metric_tables(page.metrics),
        teacher=[
            (legend(name).title, *(shown(name, figure[key]) for key in ("value", "low", "high")))
            for name, figure in page.metrics["teacher"].items()
        ],
        plots=[(images[name], heading, caption) for name, heading, caption in captions(page.task) if name in images],
        examples=page.examples,
        gallery=page.gallery,
        split_summary=page.split_summary.astype(object).where(page.split_summary.notna(), ""),
        rejected=page.rejected["reason"].value_counts().head(REASONS).to_dict(),
        rejected_total=len(page.rejected),
        parameters={name: dict(leaves(block)) for name, block in page.parameters.items()},
        stages={name: {key: _plain(value) for key, value in leaves(found)} for name, found in page.stages.items()},
        command=reproduce(page.task),
        facts=git_facts(Path.cwd()) | device_facts() | version_facts(),
        today=date.today().isoformat(),
    )  # fmt: skip


def reproduce(task: TaskConfig) -> str:
    """The command that makes this page again; tasks other than the default are environments of their name."""
    return "kedro run --pipeline=distill" + (f" --env={task.name}" if (Path("conf") / task.name).is_dir() else "")


def _plain(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
