"""The metrics of several runs in rows, each with its interval and with what changes from the first run on."""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cross_modal_kd.evaluation import SEEN, legend_of, legends, shown, shown_change
from cross_modal_kd.metrics import Interval, paired_difference
from cross_modal_kd.plotting import typeset
from cross_modal_kd.runs.test_set import PASSED_OVER, TestSet, has_measured
from cross_modal_kd.tracking import PastRun, Runs

RESAMPLES = "resamples.parquet"
METRICS = "metrics/"
HEADLINE = "headline/"
LEVEL = "metrics/protocol.bootstrap.level"
PARTS = {
    "distilled": "Distilled student",
    "student_alone": "Student alone",
    "difference": "Distilled less alone, within each run",
    "teacher": "Projected teacher",
}
OTHERS = "Other metrics"
OF_TRAINING = (SEEN, "_train", "_gap")  # measured on training samples too


@dataclass(frozen=True)
class Cell:
    """A metric in one run.

    Attributes:
        text: the value; empty where the run does not have it.
        interval: its ends; empty where there is none.
        change: this run less the first one.
        change_interval: its ends.
        tone: better or worse, where the interval of the change leaves zero out.
    """

    text: str = ""
    interval: str = ""
    change: str = ""
    change_interval: str = ""
    tone: str = ""


@dataclass(frozen=True)
class MetricRow:
    """One metric in all runs.

    Attributes:
        name: as MLflow has it.
        part: whose it is, a title of ``PARTS`` or ``OTHERS``.
        title: what it is called.
        explains: what it means; empty where no legend is known.
        core: it is one of those that the task is about.
        cells: one a run.
    """

    name: str
    part: str
    title: str
    explains: str
    core: bool
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether two runs have another value, as it is shown."""
        return len({cell.text for cell in self.cells}) > 1


def resamples_of(store: Runs, run: PastRun) -> pd.DataFrame | None:
    """Every metric of a run in every resample of its test set.

    Args:
        store: the server.
        run: whose they are.

    Returns:
        (R, M), a column ``<arm>.<metric>`` each; None where the run has kept none.
    """
    with tempfile.TemporaryDirectory() as folder, suppress(OSError, ValueError):
        file = store.file(run, RESAMPLES, Path(folder))
        if file is not None:
            return pd.read_parquet(file)
    return None


def metric_rows(
    runs: Sequence[PastRun], test_set: TestSet, resamples: Mapping[str, pd.DataFrame]
) -> tuple[list[MetricRow], str]:
    """All metrics, and whether there are intervals of the differences between runs.

    Args:
        runs: two or more; changes are from the first one on.
        test_set: whether resamples can be paired.
        resamples: by run id, of the runs that have kept them.

    Returns:
        Rows in the order of the page, and a sentence.
    """
    pairs = Pairs(runs, test_set, resamples)
    rows = [_row(runs, name, pairs) for name in _names(runs)]
    return rows, pairs.said(any(cell.change_interval for row in rows for cell in row.cells))


def main_metric(runs: Sequence[PastRun]) -> str | None:
    """The name of the metric that all runs are about.

    Args:
        runs: two or more.

    Returns:
        Such as ``eer``; None where they are about different ones, or about none.
    """
    found = [{name.removeprefix(HEADLINE) for name in run.metrics if name.startswith(HEADLINE)} for run in runs]
    shared = {name for name in set.intersection(*found) if not name.endswith(("_alone", "_difference"))}
    return shared.pop() if len(shared) == 1 else None


class Pairs:
    """The difference of two runs with its interval, where it can be had.

    Args:
        runs: the first one is what the others are set against.
        test_set: resamples of another one cannot be paired.
        resamples: by run id.
    """

    def __init__(self, runs: Sequence[PastRun], test_set: TestSet, resamples: Mapping[str, pd.DataFrame]) -> None:
        self._runs, self._test_set, self._resamples = runs, test_set, resamples
        levels = {run.metrics.get(LEVEL) for run in runs}
        self._level = levels.pop() if len(levels) == 1 else None

    def between(self, run: PastRun, part: str, name: str) -> Interval | None:
        """A metric of this run less that of the first one, in the same resamples.

        Args:
            run: another than the first.
            part: a key of ``PARTS``.
            name: of the metric.

        Returns:
            The difference; None where there is no interval, for one of the reasons that ``said`` names.
        """
        first, full = self._runs[0], f"{METRICS}{part}.{name}"
        if not self._lacks() and first.interval(full) and run.interval(full) and self._comparable(name):
            before, after = (_column(self._resamples[each.run_id], part, name) for each in (first, run))
            if before is not None and after is not None and len(before) == len(after):
                with suppress(ValueError):
                    level = self._level or 0.95
                    return paired_difference(first.metrics[full], run.metrics[full], before, after, level)
        return None

    def said(self, some: bool) -> str:
        """Whether the differences between runs have intervals, in a sentence.

        Args:
            some: at least one has.

        Returns:
            What they mean, or why there are none.
        """
        lack = self._lacks()
        if some:
            return (
                "Differences between runs have intervals: both were measured in the same resamples of one test set, "
                "and are paired. They tell what other test data would do, not what another training seed would."
            )
        if lack:
            return f"Differences between runs have no interval: {lack}."
        return (
            "Differences between runs have no interval: the metrics themselves have none, since the test set is small."
        )

    def _lacks(self) -> str:
        without = [run.short for run in self._runs if run.run_id not in self._resamples]
        if nothing := [run.short for run in self._runs if not has_measured(run)]:
            return f"nothing was measured by {', '.join(nothing)}"
        if self._test_set.same is not True:
            return "they were not measured on one test set, as far as is known"
        if without:
            return f"{', '.join(without)} has kept no resamples (older runs, and studies, do not)"
        if any("data.protocol" not in run.tags for run in self._runs):
            return "a run does not say in which resamples it was measured (no tag data.protocol)"
        return "" if self._level is not None else "their intervals are of different levels"

    def _comparable(self, name: str) -> bool:
        return self._test_set.samples_same or not name.endswith(OF_TRAINING)


def _column(table: pd.DataFrame, part: str, name: str) -> pd.Series | None:
    if part == "difference":
        after, before = (_column(table, arm, name) for arm in ("distilled", "student_alone"))
        return None if after is None or before is None else after - before
    return table.get(f"{part}.{name}")


def _names(runs: Sequence[PastRun]) -> Iterator[str]:
    """Of all runs: those of students first, in the order of the report, then the others by name."""
    found = {name for run in runs for name in run.metrics if not name.startswith(PASSED_OVER)}
    order = list(legends())

    def place(name: str) -> tuple[int, int, str]:
        part, metric = _parted(name)
        stem = metric.removesuffix(SEEN)
        known = order.index(stem) if stem in order else len(order)
        return (list(PARTS).index(part) if part in PARTS else len(PARTS), known, name)

    kept = (name for name in found if not name.startswith(f"{METRICS}relative_reduction."))
    return iter(sorted(kept, key=place))


def _parted(name: str) -> tuple[str, str]:
    """``metrics/distilled.eer`` is (distilled, eer); nothing is the part of another metric."""
    match = re.fullmatch(rf"{METRICS}({'|'.join(PARTS)})\.(.*)", name)
    return (match[1], match[2]) if match else ("", name)


def _row(runs: Sequence[PastRun], name: str, pairs: Pairs) -> MetricRow:
    part, metric = _parted(name)
    try:
        known = legend_of(metric) if part else None
    except KeyError:
        known = None
    if known is None:
        return MetricRow(name, PARTS.get(part, OTHERS), metric, "", False, tuple(_plain_cells(runs, name)))
    core = known.section == "core" and not metric.endswith(OF_TRAINING)
    cells = [_cell(runs, run, (part, metric), pairs) for run in runs]
    return MetricRow(name, PARTS[part], known.title, known.explains, core, tuple(cells))


def _plain_cells(runs: Sequence[PastRun], name: str) -> Iterable[Cell]:
    first = runs[0].metrics.get(name)
    for run in runs:
        value = run.metrics.get(name)
        ends = run.interval(name)
        change = "" if run is runs[0] or value is None or first is None else typeset(f"{value - first:+.4g}")
        interval = f"[{', '.join(typeset(f'{end:.4g}') for end in ends)}]" if ends else ""
        yield Cell("" if value is None else typeset(f"{value:.4g}"), interval, change)


def _cell(runs: Sequence[PastRun], run: PastRun, which: tuple[str, str], pairs: Pairs) -> Cell:
    part, metric = which
    full = f"{METRICS}{part}.{metric}"
    value, first, ends = run.metrics.get(full), runs[0].metrics.get(full), run.interval(full)
    show = shown_change if part == "difference" else shown
    if value is None:
        return Cell()
    text, interval = show(metric, value), _ends(ends, metric, part == "difference")
    if run is runs[0] or first is None:
        return Cell(text, interval)
    paired = pairs.between(run, part, metric)
    between = (paired.low, paired.high) if paired is not None and paired.low is not None else None
    return Cell(
        text,
        interval,
        shown_change(metric, value - first),
        _ends(between, metric, True),
        _tone(between, legend_of(metric).better),
    )


def _ends(ends: tuple[float | None, float | None] | None, metric: str, signed: bool) -> str:
    if ends is None or None in ends:
        return ""
    show = shown_change if signed else shown
    return f"[{', '.join(show(metric, end) for end in ends if end is not None)}]"


def _tone(ends: tuple[float | None, float | None] | None, better: str | None) -> str:
    if ends is None or ends[0] is None or ends[1] is None or better is None or ends[0] <= 0 <= ends[1]:
        return ""
    return "better" if (ends[1] < 0) == (better == "lower") else "worse"
