"""One task's page."""

from html import escape
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.studies.results.config import ResultsConfig
from cross_modal_kd.studies.results.findings import filled
from cross_modal_kd.studies.results.images import DARK
from cross_modal_kd.studies.results.provenance import provenance_line
from cross_modal_kd.studies.results.sections import Section
from cross_modal_kd.studies.results.tables import headline, metrics_headline, regimes_tables

OVER_FOLDS = "metrics"  # the kind that ``evaluation.folds`` is for
WITHOUT_A_TEST = ("tuning", "quality_ordering")
HEADLINE = ("<!-- headline -->", "<!-- end of headline -->")


def task_page(
    task: TaskConfig,
    results: ResultsConfig,
    folder: Path,
    sections: list[Section],
    findings: Path,
    folds: int,
) -> str:
    """Headline, findings, a section a kind of result, what was not run.

    Args:
        task: whose page it is.
        results: names the task that is run without ``--env``.
        folder: of the tables and plots, beside the page.
        sections: every kind, read from ``folder``.
        findings: Markdown file with look-ups; where it is missing the page says so.
        folds: of ``evaluation``; where there are several, a study of the test split alone says so.

    Returns:
        Markdown.
    """
    there = [section for section in sections if section.files]
    blocks = [
        "<!-- Written by `kedro run --pipeline=results`. Change the data, or docs/findings, not this page. -->",
        f"# {task.title}",
        *HEADLINE[:1],
        caution(task),
        _headline(there),
        *HEADLINE[1:],
        _findings(findings, sections),
        *(_section(section, task, results, folder, folds) for section in there),
        _not_run(task, results, [section for section in sections if section.kind.listed and not section.files]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def caution(task: TaskConfig) -> str:
    """What must be known beside every number of the task.

    Args:
        task: says whether its pairs are chimeric, and its note.

    Returns:
        A Markdown quotation; empty where there is nothing to say.
    """
    chimeric = f"Chimeric pairs: {task.teacher} and {task.student} never belonged together." if task.chimeric else ""
    return f"> {' '.join(filter(None, [chimeric, task.note]))}" if chimeric or task.note else ""


def command(task: TaskConfig, results: ResultsConfig, pipeline: str) -> str:
    """The command that makes a result of this task.

    Args:
        task: to be run.
        results: names the task that is run without ``--env``.
        pipeline: that makes the result.

    Returns:
        A line for the shell.
    """
    environment = "" if task.name == results.default_task else f" --env={task.name}"
    return f"kedro run --pipeline={pipeline}{environment}"


def _headline(there: list[Section]) -> str:
    """The comparison if it was run, else the two students of one seed, else the first study of a regime."""
    by_name = {section.kind.name: section for section in there}
    if "comparison" in by_name:
        return headline(by_name["comparison"].data).markdown()
    if "metrics" in by_name:
        return metrics_headline(by_name["metrics"].data).markdown()
    if "regimes" in by_name:
        return regimes_tables(by_name["regimes"].data)[0].markdown()
    return "Nothing was measured yet."


def _findings(file: Path, sections: list[Section]) -> str:
    if not file.is_file():
        return f"What was found is not written yet; its place is `findings/{file.name}`."
    return filled(file.read_text(encoding="utf-8").strip(), sections, file.as_posix())


def _section(section: Section, task: TaskConfig, results: ResultsConfig, folder: Path, folds: int) -> str:
    kind = section.kind
    made = command(task, results, kind.pipeline)
    lines = [provenance_line(folder, file, kind.seeds, made, _trained(section, file)) for file in section.files]
    if len(lines) > 1:
        lines = [f"{file.stem}: {line}" for file, line in zip(section.files, lines, strict=True)]
    plots = [_plot(kind.title, folder, plot.relative_to(folder)) for plot in section.plots]
    tables = [table.markdown() for table in kind.build(section.data)]
    over_folds = isinstance(section.data, pd.DataFrame) and "folds" in section.data
    about = filter(None, [kind.lead, caution(task), without_folds(kind.name, 1 if over_folds else folds)])
    return "\n\n".join([f"## {kind.title}", *about, *tables, *lines, *_of_one_fold(section), *plots])


def _of_one_fold(section: Section) -> list[str]:
    """What stands over the plots of a result over folds, of which one is drawn of a single student's scores."""
    if section.kind.name != OVER_FOLDS or not section.data["protocol"].get("folds"):
        return []
    return [
        "Of the plots the one of every threshold or confidence is of the first fold alone, the others over all folds."
    ]


def without_folds(kind: str, folds: int) -> str:
    """What a study of one fold is measured on, where ``evaluation`` has several.

    Args:
        kind: name of the kind of result.
        folds: of ``evaluation``; 1 where the study has taken them all.

    Returns:
        A sentence; empty of what ``distill`` makes, of what reads no test, and where there is one fold.
    """
    if folds == 1 or kind in (OVER_FOLDS, *WITHOUT_A_TEST):
        return ""
    return f"On the test split alone, the first of the {folds} folds of `evaluation.folds`."


def _plot(title: str, folder: Path, name: Path) -> str:
    """A plot that a reader by night sees by night, where it was kept so."""
    words = f"{title}: {' '.join(name.with_suffix('').parts).replace('_', ' ')}"
    if not (folder / DARK / name).is_file():
        return f"![{words}]({folder.name}/{name.as_posix()})"
    by_day, by_night = (quote(f"{folder.name}/{file.as_posix()}") for file in (name, DARK / name))
    source = f'<source media="(prefers-color-scheme: dark)" srcset="{by_night}">'
    return f'<picture>{source}<img alt="{escape(words)}" src="{by_day}"></picture>'


def _trained(section: Section, file: Path) -> str:
    """The seeds of the trainings that a file is about, from the table itself (a study's rows, where it has several)."""
    if not isinstance(section.data, pd.DataFrame) or "seed_list" not in section.data:
        return ""
    rows = section.data
    if "study" in rows:
        rows = rows[rows["study"] == file.stem]
    return f"trained with seeds {', '.join(map(str, rows['seed_list'].unique()))}"


def _not_run(task: TaskConfig, results: ResultsConfig, missing: list[Section]) -> str:
    if not missing:
        return ""
    lines = [f"- {section.kind.title}: `{command(task, results, section.kind.pipeline)}`" for section in missing]
    return "\n".join(["## Not run", "", *lines])
