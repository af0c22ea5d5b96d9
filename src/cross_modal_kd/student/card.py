"""The model card of a student, written from what its run has measured and noted.

Its metadata are Hugging Face's. Every number is one of a file of the run: metrics.json, split_summary.csv,
student.json, robustness.csv, provenance.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import ArmsConfig, IngestionConfig, SourcesConfig
from cross_modal_kd.evaluation import (
    alone_name,
    is_bound,
    legend_of,
    metric_tables,
    not_defined,
    shown,
    tested_on,
    verdict,
    without_interval,
)
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import build_student
from cross_modal_kd.samples import Roots, as_records, counted_in_words
from cross_modal_kd.sources import licence_of
from cross_modal_kd.storage import parse_json, read_csv, with_article
from cross_modal_kd.student.card_notes import consent_notes
from cross_modal_kd.student.card_text import fenced, in_markdown, one_line, without_places
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.package import PackagedStudent
from cross_modal_kd.student.record import Threshold
from cross_modal_kd.tasks import kind_of

TEMPLATE = "card.md.jinja"
NOTES, ROBUSTNESS, METRICS = "provenance.json", "robustness.csv", "metrics.json"
SEEDS = ("training.seed", "ingestion.split.seed", "projection.seed", "teacher.training.seed", "evaluation.seed")
PIPELINE_TAGS = {"image-classification", "image-feature-extraction", "audio-classification", "text-classification"}


@dataclass(frozen=True)
class Evidence:
    """What a card is written from, beside the student.

    Attributes:
        metrics: content of metrics.json.
        counts: split_summary.
        licences: (source, layout, licence) of the sources that were used.
        split: how the samples were split, in words.
        objective: what the arm's student was trained by, in words.
        robustness: rows of robustness.csv of this student; None where it was not measured.
        notes: by file, its entry in provenance.json.
    """

    metrics: Mapping[str, Any]
    counts: pd.DataFrame
    licences: list[tuple[str, str, str]]
    split: str
    objective: list[tuple[str, str]]
    robustness: pd.DataFrame | None
    notes: Mapping[str, Mapping[str, Any]]


def gather_evidence(
    student: PackagedStudent,
    metrics: Mapping[str, Any],
    counts: pd.DataFrame,
    sources: SourcesConfig,
    ingestion: IngestionConfig,
    arms: ArmsConfig,
    folder: Path,
) -> Evidence:
    """What a run has left that a card is written from.

    Args:
        student: without a card yet.
        metrics: content of metrics.json.
        counts: split_summary.
        sources: all that are configured; those without a sample are left out.
        ingestion: how samples were split.
        arms: the student's among them.
        folder: of the reports, which may hold robustness.csv.

    Returns:
        All of it.

    Raises:
        StudentError: another student was measured than the one that was packaged.
    """
    role = student.record.role
    if metrics["arms"][role].get("weights") != student.record.weights:
        raise StudentError(
            f"{METRICS} is of another student than the {role} one that is there now: `kedro "
            "run --pipelines=evaluation` (with the same --env and --params) measures it"
        )
    used = set(counts["source"])
    roots, about = Roots(sources), sources.root
    licences = [
        (name, each.layout, licence_of(each, _root(roots, name))) for name, each in about.items() if name in used
    ]
    notes = parse_json(folder / NOTES) if (folder / NOTES).is_file() else {}
    split = ingestion.split
    shares = f"shares {split.train:g} / {split.dev:g} / {split.test:g}, seed {split.seed}"
    file = Path(split.frozen or "").name
    kept = f"taken from the frozen file {file} where it names a cluster, drawn otherwise ({shares})"
    arm = arms.get(str(student.record.provenance["arm"]))
    values = arm.model_dump(mode="json", exclude_defaults=True).items()
    return Evidence(
        metrics=metrics,
        counts=counts,
        licences=licences,
        split=kept if split.frozen else f"drawn by a hash of each cluster's name ({shares})",
        objective=[(name, _words(value)) for name, value in values if name != "title"],
        robustness=_robustness(folder, role, notes),
        notes=notes,
    )


def with_card(student: PackagedStudent, evidence: Evidence) -> PackagedStudent:
    """The student with its model card.

    Args:
        student: as it was packaged.
        evidence: of ``gather_evidence``.

    Returns:
        The same with ``card``: YAML that Hugging Face reads, and the page.
    """
    from huggingface_hub import ModelCard

    content = f"---\n{_metadata(student, evidence)}\n---\n\n{_page(student, evidence)}"
    return replace(student, card=str(ModelCard(content)).replace("\r\n", "\n").rstrip() + "\n")


def _metadata(student: PackagedStudent, evidence: Evidence) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    task, metrics = student.record.task, evidence.metrics
    kind = kind_of(task)
    tag = f"{modality_of(task.student).hub}-{kind.hub_task}"
    tag = tag if tag in PIPELINE_TAGS else "feature-extraction"
    title, found = one_line(task.title or task.name), metrics.get(student.record.role, {})
    folds = metrics["protocol"].get("folds", [])
    results = [
        EvalResult(
            task_type=tag,
            dataset_type=one_line(task.name),
            dataset_name=title,
            dataset_split="test",
            dataset_args={"folds": len(folds)} if folds else None,
            metric_type=name,
            metric_name=one_line(legend_of(name).title),
            metric_value=interval["value"],
            metric_args={end: interval[end] for end in ("low", "high") if interval.get(end) is not None} or None,
        )
        for name, interval in found.items()
        if legend_of(name).section == "core"
    ]
    data = ModelCardData(
        license="unknown",
        library_name="cross-modal-kd",
        pipeline_tag=tag,
        tags=["cross-modal-distillation", "knowledge-distillation", kind.name, f"student-{task.student}",
              f"teacher-{task.teacher}", *(["chimeric"] if task.chimeric else [])],
        model_name=f"{title} ({student.record.role})" if results else None,
        eval_results=results or None,
    )  # fmt: skip
    return str(data.to_yaml()).strip()


def _page(student: PackagedStudent, evidence: Evidence) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def escape(value: object) -> str:
        return str(value) if isinstance(value, Markup) else in_markdown(value)

    # HTML's escaping is not Markdown's: every value goes through `escape` unless the template says `raw`
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, finalize=escape, autoescape=False,  # noqa: S701
    )  # fmt: skip
    environment.filters["raw"] = Markup  # noqa: S704 (of what this module has made)
    return environment.get_template(TEMPLATE).render(**_of_data(student, evidence), **_of_student(student, evidence),
                                                     **_of_run(student, evidence))  # fmt: skip


def _of_data(student: PackagedStudent, evidence: Evidence) -> dict[str, Any]:
    task = student.record.task
    kind = kind_of(task)
    return {
        "counts": as_records(evidence.counts.astype(object).where(evidence.counts.notna(), "")),
        "columns": list(evidence.counts.columns),
        "licences": evidence.licences,
        "split": evidence.split,
        "cluster": kind.design.cluster,
        "closed_set": kind.design.closed_set,
        "plural": {name: modality_of(name).plural for name in (task.student, task.teacher)},
        "consent": consent_notes(task, [layout for _, layout, _ in evidence.licences]),
        "uses": kind.intended_use.format(
            one=with_article(f"{task.student} file"), plural=modality_of(task.student).plural
        ),
    }


def _of_student(student: PackagedStudent, evidence: Evidence) -> dict[str, Any]:
    record, metrics = student.record, evidence.metrics
    dev = record.operating.dev
    dev_name = dev.name.removeprefix("dev_")
    ending = next(iter(modality_of(record.task.student).served), ".file")
    teacher = student.teacher.model.config.get("encoder", {})
    return {
        "task": record.task,
        "role": record.role,
        "arm": record.provenance["arm"],
        "objective": evidence.objective,
        "classes": len(record.classes),
        "encoder": student.model.config["encoder"],
        "teacher_encoder": teacher,
        "parameters": f"{sum(each.numel() for each in build_student(student.model).parameters()):,}",
        "dim": student.model.config["dim"],
        "metrics": metrics,
        "alone": alone_name(metrics),
        "bound": is_bound(metrics),
        "named": kind_of(record.task).design.closed_set and metrics.get("labels", {}).get("labelled") == 0,
        "labels": counted_in_words(metrics["labels"]) if "labels" in metrics else "",
        "verdict": verdict(dict(metrics)),
        "tables": metric_tables(dict(metrics)),
        "without_interval": without_interval(dict(metrics)),
        "not_defined": not_defined(dict(metrics)),
        "tested_on": tested_on(dict(metrics)),
        "dev": None if dev.value is None else (legend_of(dev_name).title, shown(dev_name, dev.value)),
        "operating": record.operating,
        "thresholds": [_threshold(each) for each in record.operating.thresholds],
        "robustness": _damage(evidence.robustness),
        "words": modality_of(record.task.teacher).words,
        "example": f"a{ending}",
        "other": f"b{ending}",
    }


def _of_run(student: PackagedStudent, evidence: Evidence) -> dict[str, Any]:
    facts = student.facts
    trained = evidence.notes.get(f"{student.record.role}/history.csv", {})
    measured = evidence.notes.get(METRICS, {})
    seeds = {name: value for name, value in measured.get("seeds", {}).items() if name in SEEDS}
    runs = {"trained": trained, "measured": measured, "packaged": {"command": facts.get("command"), **facts}}
    commands: dict[str, list[str]] = {}
    for what, run in runs.items():
        if run.get("command"):
            commands.setdefault(without_places(str(run["command"])), []).append(what)
    dirty = measured.get("git.dirty", facts.get("git.dirty")) == "true"
    return {
        "seeds": seeds or {"training.seed": student.record.provenance["seed"]},
        "commands": _block([f"{command}  # {', '.join(done)}" for command, done in commands.items()]),
        "commit": measured.get("git.sha", facts.get("git.sha")),
        "dirty": dirty,
        "run": facts.get("mlflow.run"),
        "versions": {name.removeprefix("version."): value for name, value in facts.items() if "version." in name},
        "samples": student.record.provenance["samples"],
    }


def _block(lines: list[str]) -> str:
    """Commands as a block."""
    return fenced(lines, "sh")


def _threshold(threshold: Threshold) -> dict[str, str]:
    rates = {name: getattr(threshold, name) for name in ("far", "frr", "test_far", "test_frr")}
    row = {name: "" if rate is None else f"{100 * rate:.2f} %" for name, rate in rates.items()}
    value = f"none: {threshold.reason}" if threshold.value is None else f"{threshold.value:.4f}"
    return {"name": threshold.name, "value": value, **row}


def _robustness(folder: Path, role: str, notes: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame | None:
    """None also where it was measured before the student was trained."""
    file = folder / ROBUSTNESS
    dates = [notes.get(name, {}).get("date", "") for name in (f"{role}/history.csv", ROBUSTNESS)]
    if not file.is_file() or not dates[1] or dates[1] < dates[0]:
        return None
    table = read_csv(file)
    return table[table["arm"] == role]


def _damage(table: pd.DataFrame | None) -> list[dict[str, str]] | None:
    """The undamaged samples, and the most severe level of each kind of damage."""
    if table is None or table.empty:
        return None
    worst = table.sort_values("severity", kind="stable").drop_duplicates("kind", keep="last")
    rows = []
    for row in as_records(worst):
        ends = [row["error_low"], row["error_high"]]
        metric = row["error_metric"]
        interval = "" if any(pd.isna(end) for end in ends) else " to ".join(shown(metric, end) for end in ends)
        level = "" if pd.isna(row["level"]) else f"{row['level']:g} {'' if pd.isna(row['unit']) else row['unit']}"
        rows.append({"kind": row["kind"], "level": level, "metric": legend_of(metric).title,
                     "error": shown(metric, row["error"]), "interval": interval})  # fmt: skip
    return rows


def _root(roots: Roots, name: str) -> Path | None:
    try:
        return roots.root(name)
    except (OSError, ValueError, LookupError):
        return None


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(_words(each) for each in value)
    return str(value)
