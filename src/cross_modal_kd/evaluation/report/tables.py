"""metrics.json as rows to be read."""

from dataclasses import dataclass

from cross_modal_kd.evaluation.legend import SECTIONS, SEEN, legend_of, shown, shown_change
from cross_modal_kd.plotting import typeset
from cross_modal_kd.tasks import Legend


@dataclass(frozen=True)
class Cell:
    """text: the value. interval: its ends. tone: better, worse, or nothing where the interval includes zero."""

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
    """The tables of the page; matching on seen classes is a section of its own.

    Args:
        metrics: the content of metrics.json, in shares.

    Returns:
        (title, rows) of each section that has metrics, in the order of the page.
    """
    titles = {
        "core": SECTIONS["core"],
        "matching": f"{SECTIONS['matching']}, on test samples",
        "matching_seen": f"{SECTIONS['matching']}, on training samples",
        "diagnostics": SECTIONS["diagnostics"],
    }
    tables: dict[str, list[Row]] = {name: [] for name in titles}
    for name in metrics["difference"]:
        known = legend_of(name)
        section = "matching_seen" if known.section == "matching" and name.endswith(SEEN) else known.section
        tables[section].append(_row(name, known, metrics))
    return [(titles[section], rows) for section, rows in tables.items() if rows]


def _row(name: str, known: Legend, metrics: dict) -> Row:
    difference = metrics["difference"][name]
    reduction = metrics["relative_reduction"].get(name)
    chance = metrics["chance"].get(name) if known.section != "diagnostics" else None
    ends = [difference["low"], difference["high"]]
    tone = ""
    if known.better is not None and (min(ends) > 0 or max(ends) < 0):
        tone = "better" if (max(ends) < 0) == (known.better == "lower") else "worse"
    return Row(
        legend=known,
        alone=_value(name, metrics["student_alone"][name]),
        distilled=_value(name, metrics["distilled"][name]),
        difference=Cell(
            shown_change(name, difference["value"]), " to ".join(shown_change(name, end) for end in ends), tone
        ),
        reduction=Cell("") if reduction is None else Cell(
            _percent(reduction["value"]), f"{_percent(reduction['low'])} to {_percent(reduction['high'])}"
        ),
        chance="" if chance is None else shown(name, chance),
    )  # fmt: skip


def _value(name: str, interval: dict[str, float]) -> Cell:
    return Cell(shown(name, interval["value"]), f"{shown(name, interval['low'])} to {shown(name, interval['high'])}")


def _percent(share: float) -> str:
    return typeset(f"{100 * share:+.0f}") + "\N{NO-BREAK SPACE}%"
