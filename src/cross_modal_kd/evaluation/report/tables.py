"""metrics.json as rows to be read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cross_modal_kd.evaluation.legend import SECTIONS, SEEN, legend_of, shown, shown_change, tested_on
from cross_modal_kd.plotting import typeset
from cross_modal_kd.tasks import Legend, kind_named


@dataclass(frozen=True)
class Cell:
    """text: the value. interval: its ends. tone: better, worse, or nothing where no interval leaves zero out."""

    text: str
    interval: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """One metric of both students. difference: distilled - alone. reduction: of errors, empty where there is none."""

    legend: Legend
    alone: Cell
    distilled: Cell
    difference: Cell
    reduction: Cell
    chance: str


def metric_tables(metrics: dict) -> list[tuple[str, list[Row]]]:
    """The tables of the page; matching on training samples is a section of its own.

    Args:
        metrics: the content of metrics.json, in shares.

    Returns:
        (title, rows) of each section that has metrics, in the order of the page.
    """
    titles = {
        "core": f"{SECTIONS['core']}, on {tested_on(metrics)}",
        "conditions": f"{SECTIONS['conditions']}, on {tested_on(metrics)}",
        "matching": f"{SECTIONS['matching']}, on test samples",
        "named": SECTIONS["named"],
        "shown": SECTIONS["shown"],
        "matching_seen": f"{SECTIONS['matching']}, on training samples",
        "diagnostics": SECTIONS["diagnostics"],
    }
    tables: dict[str, list[Row]] = {name: [] for name in titles}
    for name in metrics["difference"]:
        known = legend_of(name)
        section = "matching_seen" if known.section == "matching" and name.endswith(SEEN) else known.section
        tables[section].append(_row(name, _twin(name, known, metrics), metrics))
    return [(titles[section], rows) for section, rows in tables.items() if rows]


def _twin(name: str, known: Legend, metrics: dict) -> Legend:
    """Of classes named by their words, where each has one text: then that is matching, once more."""
    other = name.replace("open_vocabulary_", "matching_1_")
    if other == name or any(metrics[part][name] != metrics[part].get(other) for part in ("student_alone", "distilled")):
        return known
    return replace(known, explains=f"the same as {legend_of(other).title} above: each class has one text here")


def _row(name: str, known: Legend, metrics: dict) -> Row:
    difference = metrics["difference"][name]
    reduction = metrics["relative_reduction"].get(name)
    chance = metrics["chance"].get(name) if known.section != "diagnostics" else None
    return Row(
        legend=known,
        alone=_value(name, metrics["student_alone"][name]),
        distilled=_value(name, metrics["distilled"][name]),
        difference=_cell(difference, lambda value: shown_change(name, value), _tone(difference, known)),
        reduction=Cell("") if reduction is None else _cell(reduction, _percent),
        chance="" if chance is None else shown(name, chance),
    )


def _value(name: str, interval: dict[str, Any]) -> Cell:
    return _cell(interval, lambda value: shown(name, value))


def _cell(interval: dict[str, Any], show: Callable[[float], str], tone: str = "") -> Cell:
    ends = [interval["low"], interval["high"]]
    return Cell(show(interval["value"]), "" if None in ends else " to ".join(map(show, ends)), tone)


def _tone(interval: dict[str, Any], known: Legend) -> str:
    ends = [interval["low"], interval["high"]]
    if None in ends or known.better is None or min(ends) <= 0 <= max(ends):
        return ""
    return "better" if (max(ends) < 0) == (known.better == "lower") else "worse"


def folds_table(metrics: dict) -> list[dict[str, Any]]:
    """The folds, each with the metric that students are judged by.

    Args:
        metrics: the content of metrics.json.

    Returns:
        fold, clusters, samples, student_alone and distilled of each, the last two as they are shown; none where the
        split was measured alone.
    """
    name = kind_named(metrics["task"]["kind"]).metric
    return [
        {"fold": fold["fold"], "clusters": fold["clusters"], "samples": fold["samples"]}
        | {role: "\N{EN DASH}" if value is None else shown(name, value) for role, value in fold[name].items()}
        for fold in metrics["protocol"].get("folds", [])
    ]


def without_interval(metrics: dict) -> list[tuple[str, list[str]]]:
    """Why metrics have no interval.

    Args:
        metrics: the content of metrics.json.

    Returns:
        (reason, titles of the metrics) of every reason, in the order of the tables; empty where all have one.
    """
    found: dict[str, list[str]] = {}
    for name in metrics["difference"]:
        parts = (metrics[part].get(name, {}) for part in ("difference", "student_alone", "distilled"))
        reason = next((part["reason"] for part in parts if part.get("reason")), None)
        if reason is not None:
            found.setdefault(reason, []).append(legend_of(name).title)
    return list(found.items())


def not_defined(metrics: dict) -> list[tuple[str, str]]:
    """What is not defined, and why.

    Args:
        metrics: the content of metrics.json.

    Returns:
        (titles, reason) of each reason, in the order in which it was found.
    """
    parts = {"relative_reduction": "errors removed, ", "teacher": "the teacher by itself, "}
    found: dict[str, list[str]] = {}
    for name, reason in metrics["undefined"].items():
        part, _, metric = name.rpartition(".")
        found.setdefault(reason, []).append(parts.get(part, "") + _title(metric))
    return [(", ".join(titles), reason) for reason, titles in found.items()]


def _title(name: str) -> str:
    try:
        return legend_of(name).title
    except KeyError:
        return name


def _percent(share: float) -> str:
    return typeset(f"{100 * share:+.0f}") + "\N{NO-BREAK SPACE}%"
