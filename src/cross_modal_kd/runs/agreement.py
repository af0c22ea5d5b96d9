"""Two runs of the same thing, number by number."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cross_modal_kd.tracking import PastRun

EXACT, WITHIN, DIFFERENT, MISSING = "exact", "within", "different", "missing"
NOT_RESULTS = ("seconds/", "system/")  # times and loads are others each time
TIMES = ("seconds", "data_wait_share")  # so are metrics that end so
CAUSES = ("version.", "device.", "platform", "git.sha", "git.dirty")
NO_CAUSE = (
    "None is known: commit, parameters, versions, machine and threads are the same. What is left is arithmetic whose "
    "order is not fixed (a GPU, several threads)."
)


@dataclass(frozen=True)
class Number:
    """A metric in both runs.

    Attributes:
        name: of the metric; of a run below the run, with that run's name before it.
        before: in the run that was to come out; None where it has none.
        after: in the new run; None where it has none.
        verdict: exact, within, different or missing.
    """

    name: str
    before: float | None
    after: float | None
    verdict: str


@dataclass(frozen=True)
class Agreement:
    """Whether a run came out the same.

    Attributes:
        numbers: all metrics of both, those that differ first.
        tolerance: up to which numbers agree.
        fingerprints: (name, before, after) of data and tables on the way.
        causes: what differs beside the numbers, a line each.
    """

    numbers: tuple[Number, ...]
    tolerance: float
    fingerprints: tuple[tuple[str, str, str], ...]
    causes: tuple[str, ...]

    @classmethod
    def of(cls, before: Sequence[PastRun], after: Sequence[PastRun], tolerance: float) -> "Agreement":
        """Compare two runs and those below them.

        Args:
            before: the run that was to come out, and its children.
            after: the new one, and its children.
            tolerance: of the larger number, or absolute where both are below 1.

        Returns:
            Number by number; children are paired by their names.
        """
        first, second = _metrics(before), _metrics(after)
        numbers = [_number(name, first.get(name), second.get(name), tolerance) for name in sorted({**first, **second})]
        order = [DIFFERENT, MISSING, WITHIN, EXACT]
        old, new = before[0], after[0]
        prints = sorted(name for name in {*old.tags, *new.tags} if name.startswith("data."))
        return cls(
            tuple(sorted(numbers, key=lambda number: order.index(number.verdict))),
            tolerance,
            tuple((name, old.tags.get(name, "none"), new.tags.get(name, "none")) for name in prints),
            tuple(_causes(old, new)),
        )

    @property
    def agrees(self) -> bool:
        """Whether there are numbers, and all agree."""
        return bool(self.numbers) and all(number.verdict in (EXACT, WITHIN) for number in self.numbers)

    def words(self) -> str:
        """A line a number, then what differs beside them, then the result in a sentence."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        width = max((len(number.name) for number in self.numbers), default=0)
        for number in self.numbers:
            values = _shown(number.before) if number.verdict == EXACT else _change(number)
            yield f"  {number.verdict:<10}{number.name:<{width}}  {values}"
        yield ""
        for name, old, new in self.fingerprints:
            yield f"  {name}: {'the same' if old == new else f'{old} then, {new} now'}"
        if not self.agrees or self.causes:
            yield "\nWhat may be the cause:" if not self.agrees else "\nWhat differs, and made no difference:"
            yield from (f"  {cause}" for cause in self.causes or (NO_CAUSE,))
        yield ""
        yield self._result()

    def _result(self) -> str:
        counts = {verdict: sum(number.verdict == verdict for number in self.numbers) for verdict in
                  (EXACT, WITHIN, DIFFERENT, MISSING)}  # fmt: skip
        told = (
            f"{counts[EXACT]} of {len(self.numbers)} numbers are exactly the same, {counts[WITHIN]} agree within "
            f"{self.tolerance:g}, {counts[DIFFERENT]} differ, {counts[MISSING]} are in one run only."
        )
        if not self.numbers:
            return "DOES NOT AGREE: neither run has a number."
        return f"{'AGREES' if self.agrees else 'DOES NOT AGREE'}: {told}"


def _metrics(runs: Sequence[PastRun]) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, run in enumerate(runs):
        before = f"{run.name}: " if number else ""
        found |= {f"{before}{name}": value for name, value in run.metrics.items() if _counts(name)}
    return found


def _counts(name: str) -> bool:
    return not name.startswith(NOT_RESULTS) and not name.endswith(TIMES)


def _number(name: str, before: float | None, after: float | None, tolerance: float) -> Number:
    if before is None or after is None:
        return Number(name, before, after, MISSING)
    if before == after or (math.isnan(before) and math.isnan(after)):
        return Number(name, before, after, EXACT)
    near = math.isfinite(before - after) and abs(before - after) <= tolerance * max(1.0, abs(before), abs(after))
    return Number(name, before, after, WITHIN if near else DIFFERENT)


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"


def _change(number: Number) -> str:
    text = f"{_shown(number.before)} then, {_shown(number.after)} now"
    if number.before is None or number.after is None:
        return text
    return f"{text} ({number.after - number.before:+.3g})"


def _causes(old: PastRun, new: PastRun) -> Iterator[str]:
    yield from _differing("parameter ", old.params, new.params, "")
    for start in CAUSES:
        yield from _differing("", old.tags, new.tags, start)


def _differing(what: str, old: Mapping[str, str], new: Mapping[str, str], start: str) -> Iterator[str]:
    """Of what both say; of older runs not everything is known."""
    for name in sorted({*old, *new} if what else {*old} & {*new}):
        if name.startswith(start) and old.get(name) != new.get(name):
            yield f"{what}{name}: {old.get(name, 'none')} then, {new.get(name, 'none')} now"
