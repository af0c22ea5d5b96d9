"""What differs between runs: parameters, data, code, machine and metrics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from cross_modal_kd.runs.metric_rows import MetricRow, main_metric, metric_rows
from cross_modal_kd.runs.test_set import TestSet
from cross_modal_kd.tracking import PastRun, as_params

NONE = "\N{EM DASH}"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CODE = {
    "git.sha": "commit",
    "git.dirty": "uncommitted changes",
    "git.changes": "files that differ from the commit",
    "git.branch": "branch",
}
DEVICE = ("device.", "platform")
MEASURE = "metrics/protocol."


@dataclass(frozen=True)
class Fact:
    """One thing that is known of each run.

    Attributes:
        name: what it is.
        values: a text a run; an em dash where a run does not say it.
    """

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether two runs say something else."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Comparison:
    """What differs between runs.

    Attributes:
        runs: as they were named; the others are set against the first.
        warnings: what must be known before a number is read.
        test_set: whether the metrics can be compared.
        params: those that differ, under their nested names.
        same_params: how many do not.
        data: fingerprints and counts, those that are the same too.
        code: commit, versions of packages, those that differ.
        machine: device and platform, those that differ.
        metrics: all.
        intervals: whether the differences between runs have intervals, in a sentence.
        result: the metric that all runs are about, a sentence for each run but the first.
    """

    runs: tuple[PastRun, ...]
    warnings: tuple[str, ...]
    test_set: TestSet
    params: tuple[Fact, ...]
    same_params: int
    data: tuple[Fact, ...]
    code: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    metrics: tuple[MetricRow, ...] = field(default=())
    intervals: str = ""
    result: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """A short name for each run: A, B and so on."""
        return tuple(LETTERS[: len(self.runs)])


def compare(runs: Sequence[PastRun], resamples: Mapping[str, pd.DataFrame]) -> Comparison:
    """Set runs against the first of them.

    Args:
        runs: two or more, at most 26, no run twice.
        resamples: every metric in every resample, by run id, of the runs that have kept them.

    Returns:
        All that differs.

    Raises:
        ValueError: there are too few runs, too many, or one stands there twice.
    """
    if not 2 <= len(runs) <= len(LETTERS):
        raise ValueError(f"two runs or more are compared, {len(LETTERS)} at most; found {len(runs)}")
    twice = [run.short for run in runs if sum(other.run_id == run.run_id for other in runs) > 1]
    if twice:
        raise ValueError(f"run {twice[0]} is named twice; a run is compared with another one")
    test_set = TestSet.of(runs)
    whole = all(run.whole for run in runs)  # else all are cut as MLflow cuts them, so that they can be compared
    params = _facts(runs, lambda run: run.params if whole else as_params(run.params))
    rows, sentence = metric_rows(runs, test_set, resamples)
    tags = _facts(runs, lambda run: run.tags)
    measure = _facts(runs, lambda run: {k: f"{v:g}" for k, v in run.metrics.items() if k.startswith(MEASURE)})
    return Comparison(
        runs=tuple(runs),
        warnings=tuple(_warnings(runs, test_set)),
        test_set=test_set,
        params=tuple(fact for fact in params if fact.differs),
        same_params=sum(not fact.differs for fact in params),
        data=(
            *(fact for fact in tags if fact.name.startswith("data.")),
            *(Fact(fact.name.removeprefix(MEASURE), fact.values) for fact in measure if fact.differs),
        ),
        code=tuple(
            Fact(CODE.get(fact.name, fact.name), fact.values)
            for fact in tags
            if fact.differs and (fact.name in CODE or fact.name.startswith("version."))
        ),
        machine=tuple(fact for fact in tags if fact.differs and fact.name.startswith(DEVICE)),
        metrics=tuple(rows),
        intervals=sentence,
        result=tuple(_result(runs, rows)) if test_set.same is True else (),
    )


def _result(runs: Sequence[PastRun], rows: Sequence[MetricRow]) -> Iterator[str]:
    """What the distilled students of the runs come to; nothing where the runs are about different metrics."""
    metric = main_metric(runs)
    row = next((row for row in rows if metric and row.name == f"metrics/distilled.{metric}"), None)
    if row is None:
        return
    first, *others = row.cells
    for letter, cell in zip(LETTERS[1:], others, strict=False):
        if cell.tone:
            conclusion = f"The interval leaves zero out: {letter} is {cell.tone}."
        elif cell.change_interval:
            conclusion = "The interval includes zero: no difference is shown."
        else:
            conclusion = "Without an interval, no difference is shown."
        change = f"{cell.change} {cell.change_interval}".strip()
        yield f"{row.title}, distilled: {first.text} in A, {cell.text} in {letter}, {change}. {conclusion}"


def _facts(runs: Sequence[PastRun], of: Callable[[PastRun], Mapping[str, str]]) -> list[Fact]:
    """Everything that at least one run says, by name."""
    names = sorted({name for run in runs for name in of(run)})
    return [Fact(name, tuple(of(run).get(name, NONE) for run in runs)) for name in names]


def _warnings(runs: Sequence[PastRun], test_set: TestSet) -> list[str]:
    found = []
    tasks = {run.tags.get("task", "") for run in runs}
    if len(tasks) > 1:
        found.append(f"The runs are of different tasks ({', '.join(sorted(filter(None, tasks)))}).")
    if test_set.same is not True:
        found.append(test_set.why)
    for letter, run in zip(LETTERS, runs, strict=False):
        if run.status != "FINISHED":
            found.append(
                f"{letter} ({run.short}) did not end well: {run.status}. Its metrics may be missing or partial."
            )
        if run.tags.get("git.dirty") == "true":
            found.append(f"{letter} ({run.short}) was made with uncommitted changes: its commit does not say all.")
        if not run.tags.get("git.sha"):
            found.append(f"{letter} ({run.short}) does not say from which commit it was made.")
    if not all(run.whole for run in runs):
        cut = ", ".join(run.short for run in runs if not run.whole)
        found.append(
            f"Of {cut} parameters are known only as MLflow shows them: long values are cut, and end in a hash."
        )
    return found
