"""A comparison as plain text, for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from cross_modal_kd.runs.differences import Comparison, Fact
from cross_modal_kd.runs.metric_rows import OTHERS, Cell, MetricRow

WIDEST = 44  # letters of a value; the page has it whole
MOST = 40  # rows of a part


def compare_words(comparison: Comparison) -> str:
    """What differs, in tables of plain text.

    Args:
        comparison: of two or more runs.

    Returns:
        Lines: the runs, warnings, parameters, data, code and machine, metrics.
    """
    return "\n".join(_lines(comparison))


def _lines(found: Comparison) -> Iterator[str]:
    for letter, run in zip(found.letters, found.runs, strict=True):
        yield f"{letter}  {run.run_id}  {run.started:%Y-%m-%d %H:%M}  {run.user}  {run.experiment}: {run.name}"
    for warning in found.warnings:
        yield f"\nWARNING: {warning}"
    yield from _facts(f"Parameters that differ ({found.same_params} are the same)", found.params, found.letters)
    yield from _facts("Data", found.data, found.letters)
    yield from _facts("Code and versions that differ", found.code, found.letters)
    yield from _facts("Machine, where it differs", found.machine, found.letters)
    shown = [row for row in found.metrics if row.core or (row.part == OTHERS and row.differs)]
    yield from _metrics(shown, found.letters)
    yield ""
    if found.test_set.same is True:
        yield found.test_set.why
    yield found.intervals
    yield from found.result


def _facts(heading: str, facts: Sequence[Fact], letters: Sequence[str]) -> Iterator[str]:
    yield f"\n{heading}"
    if not facts:
        yield "  none"
        return
    rows = [[fact.name, *(_short(value) for value in fact.values), _mark(fact)] for fact in facts]
    yield from _table(["", *letters, ""], rows)


def _mark(fact: Fact) -> str:
    return "" if fact.differs else "same"


def _metrics(rows: Sequence[MetricRow], letters: Sequence[str]) -> Iterator[str]:
    heads = [letters[0]]
    for letter in letters[1:]:
        heads += [letter, f"{letter} less {letters[0]}"]
    for part, group in groupby(rows, key=lambda row: row.part):
        yield f"\n{part}"
        yield from _table(["", *heads], [[row.title, *_cells(row.cells)] for row in group])


def _cells(cells: Iterable[Cell]) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f"{cell.text} {cell.interval}".strip()
        if number:
            yield f"{cell.change} {cell.change_interval} {cell.tone}".strip()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    every = [list(head), *map(list, rows[:MOST])]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    for row in every:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    if len(rows) > MOST:
        yield f"  ... and {len(rows) - MOST} more, on the page"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}\N{HORIZONTAL ELLIPSIS}"
