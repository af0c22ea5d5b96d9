"""One row an arm and condition: its error with interval, and its paired difference to the student alone."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import Interval, paired_difference, percentile_interval, weakest
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.studies.robustness.contenders import Contender
from cross_modal_kd.studies.robustness.damage import DamageLevel
from cross_modal_kd.studies.robustness.errors import DamageProtocol, Errors
from cross_modal_kd.studies.table import NO_INTERVAL, warned

CLEAN = "clean"

# (students, condition or None for clean) -> of each student (n, d) embeddings of the protocol's samples
EmbedUnder = Callable[[Sequence[ModelBundle], DamageLevel | None], list[np.ndarray]]


def robustness_table(
    contenders: Sequence[Contender],
    conditions: Sequence[DamageLevel],
    protocol: DamageProtocol,
    embed_under: EmbedUnder,
    level: float,
) -> pd.DataFrame:
    """Rows in the order of conditions, then of contenders, of whom the first is the student alone.

    ``difference_to_alone`` is paired in the seeds that both have, in samples, damage and resamples: below zero is
    better. The undamaged samples are the kind ``clean``, of severity 0.

    Args:
        contenders: at least one.
        conditions: kinds and levels of damage; the undamaged samples come before them.
        protocol: what is measured, and on which samples.
        embed_under: called once a condition, for the students of all contenders together.
        level: of the intervals, in (0, 1).

    Returns:
        arm, title, projection; kind, level, unit, severity; error_metric, damaged_sides, test_samples, seeds,
        seed_list; error and difference_to_alone, each with low and high, in shares. The first contender has no
        difference. ``no_interval`` says why ends are NaN where the data cannot bear an interval.

    Raises:
        ValueError: a contender shares no seed with the first.
    """
    from cross_modal_kd.compute import progress_bar

    students = [student for contender in contenders for student in contender.students]
    clean = embed_under(students, None)
    rows = []
    for condition in progress_bar([None, *conditions], desc="damaging the test split", leave=False):
        damaged = clean if condition is None else embed_under(students, condition)
        measured, start = [], 0
        for contender in contenders:
            mine = slice(start, start := start + len(contender.students))
            measured.append(protocol.errors(contender.students, clean[mine], damaged[mine]))
        alone = contenders[0], measured[0]
        rows += [
            _about(contender, condition, protocol) | _error_of((contender, found), alone, level)
            for contender, found in zip(contenders, measured, strict=True)
        ]
    return warned(pd.DataFrame(rows))


def _about(contender: Contender, condition: DamageLevel | None, protocol: DamageProtocol) -> dict[str, object]:
    return {
        "arm": contender.arm,
        "title": contender.title,
        "projection": contender.projection,
        "kind": CLEAN if condition is None else condition.kind,
        "level": np.nan if condition is None else condition.level,
        "unit": "" if condition is None else condition.degradation.unit,
        "severity": 0 if condition is None else condition.severity,
        "error_metric": protocol.metric,
        "damaged_sides": protocol.sides if protocol.kind.uses_trials else "test",
        "test_samples": len(protocol.subset.rows),
        "seeds": len(contender.seeds),
        "seed_list": " ".join(map(str, contender.seeds)),
    }


Measured = tuple[Contender, Errors]


def _error_of(one: Measured, alone: Measured, level: float) -> dict[str, object]:
    found = one[1]
    columns = _columns("error", percentile_interval(found.values, found.resampled, level, found.evidence))
    if one[0] is alone[0]:
        return columns
    before, after = _common_seeds(alone, one)
    evidence = weakest([before.evidence, after.evidence])
    difference = paired_difference(before.values, after.values, before.resampled, after.resampled, level, evidence)
    return columns | _columns("difference_to_alone", difference)


def _common_seeds(first: Measured, second: Measured) -> tuple[Errors, Errors]:
    """The errors of both at the seeds that both have, in the order of the first; ValueError where there is none."""
    of_seeds = first[0].seeds, second[0].seeds
    shared = [seed for seed in of_seeds[0] if seed in of_seeds[1]]
    if not shared:
        raise ValueError(f"the arms to be compared share no seed: trained with {of_seeds[0]} and {of_seeds[1]}")
    rows = [[seeds.index(seed) for seed in shared] for seeds in of_seeds]
    one, other = (found.at(places) for (_, found), places in zip((first, second), rows, strict=True))
    return one, other


def _columns(name: str, interval: Interval) -> dict[str, object]:
    ends = {f"{name}_low": interval.low, f"{name}_high": interval.high}
    columns: dict[str, object] = {end: np.nan if at is None else at for end, at in ends.items()}
    return {name: interval.value} | columns | ({NO_INTERVAL: interval.reason} if interval.reason else {})
