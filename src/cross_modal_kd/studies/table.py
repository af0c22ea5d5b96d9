"""A row an arm: its error over the seeds, and its paired differences to the baseline and to its hard counterpart."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import ArmsConfig
from cross_modal_kd.metrics import (
    Evidence,
    Interval,
    MetricSet,
    joined_interval,
    mean_interval,
    paired_difference,
    percentile_interval,
    relative_reduction,
    weakest,
)
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.tasks import TaskKind

logger = logging.getLogger(__name__)

Key = tuple[str, str]
NO_INTERVAL = "no_interval"

DIAGNOSTICS = {
    "matching_1_2": "matching_1_2_unseen",
    "matching_1_2_seen": "matching_1_2_seen",
    "retrieval_map": "retrieval_map_unseen",
    "distance_seen": "teacher_student_distance_train",
    "distance": "teacher_student_distance_test",
    "eer_train": "eer_train",
    "eer_gap": "eer_gap_test_minus_train",
    "top1_train": "top1_train",
    "top1_gap": "top1_gap_train_minus_test",
    "min_dcf_01": "min_dcf_01",
    "eer_same_domain": "eer_same_domain",
    "identification_rank1": "identification_rank1",
    "top5": "top5",
    "macro_f1": "macro_f1",
    "calibration_error": "calibration_error",
}


@dataclass(frozen=True)
class ArmResult:
    """All seeds of one arm with one projection.

    Attributes:
        outcomes: one a seed.
        metrics: of each outcome, in the same order.
    """

    outcomes: list[Outcome]
    metrics: list[MetricSet]

    def seeds(self) -> list[int]:
        """The S seeds, in the order of the outcomes."""
        return [outcome.job.seed for outcome in self.outcomes]

    def of_seeds(self, seeds: Sequence[int]) -> "ArmResult":
        """The results of some of the seeds.

        Args:
            seeds: some of the result's own.

        Returns:
            A result with these seeds, in this order.

        Raises:
            ValueError: a seed that the result does not have.
        """
        rows = [self.seeds().index(seed) for seed in seeds]
        return ArmResult([self.outcomes[row] for row in rows], [self.metrics[row] for row in rows])

    def values(self, name: str) -> np.ndarray:
        """One metric of every seed.

        Args:
            name: of a metric that every seed has.

        Returns:
            (S,) values, in the order of the seeds.
        """
        return np.array([each.metrics[name].value for each in self.metrics])

    def resampled(self, name: str) -> np.ndarray:
        """One metric of every seed in every resample.

        Args:
            name: of a metric that every seed has.

        Returns:
            (R, S) values; a row is one resample of the clusters, the same for all seeds.
        """
        return np.stack([each.metrics[name].resampled for each in self.metrics], axis=1)

    def has(self, name: str) -> bool:
        """Whether every seed has the metric.

        Args:
            name: of a metric.

        Returns:
            False where one seed lacks it.
        """
        return all(name in each.metrics for each in self.metrics)

    def evidence(self, name: str) -> Evidence | None:
        """What one metric rests on, in the seed in which that is least.

        Args:
            name: of a metric that every seed has.

        Returns:
            None where no seed says.
        """
        return weakest([each.metrics[name].evidence for each in self.metrics])

    def error(self, kind: TaskKind) -> tuple[np.ndarray, np.ndarray]:
        """The error rate of the kind of task.

        Args:
            kind: of the task; its ``metric`` is one that every seed has.

        Returns:
            (S,) of every seed and (R, S) in every resample, shares.
        """
        return kind.as_errors(self.values(kind.metric)), kind.as_errors(self.resampled(kind.metric))


def by_arm(outcomes: Sequence[Outcome], metrics: Sequence[MetricSet]) -> dict[Key, ArmResult]:
    """Results grouped by arm and projection.

    Args:
        outcomes: of a grid.
        metrics: of each outcome, in the same order.

    Returns:
        By (arm, projection), in the order in which they first come.
    """
    groups: dict[Key, ArmResult] = {}
    for outcome, found in zip(outcomes, metrics, strict=True):
        result = groups.setdefault((outcome.job.arm, outcome.job.config.projection), ArmResult([], []))
        result.outcomes.append(outcome)
        result.metrics.append(found)
    return groups


@dataclass(frozen=True)
class Contrasts:
    """What each arm is set against.

    Attributes:
        baseline: the arm that all others are set against.
        hard_of: for an arm, another that it is set against too.
        level: of the intervals, in (0, 1).
    """

    baseline: str
    hard_of: Mapping[str, str]
    level: float


def comparison_table(
    results: Mapping[Key, ArmResult], kind: TaskKind, contrasts: Contrasts, arms: ArmsConfig
) -> pd.DataFrame:
    """A row an arm and projection, in the order of the results; shares, not percent.

    Differences are paired in seeds, resamples and trials. A baseline that was trained with several projections is taken
    with the row's own, the first where it was not trained with that. An arm under the projection that it names is set
    against its hard counterpart under the one that the counterpart names, and under another projection against the
    counterpart under the same.

    Args:
        results: by (arm, projection); the baseline is among them.
        kind: of the task; it says which error rate is compared.
        contrasts: what each arm is set against. A hard counterpart without results is passed over.
        arms: gives the titles, and the projection that each arm names.

    Returns:
        Columns ``arm``, ``title``, ``projection`` (``no teacher`` without constraints), ``error_metric``,
        ``error_mean``, ``error_sd_over_seeds`` (NaN of one seed), ``error_low``, ``error_high``;
        ``difference_to_baseline`` (of the error: below zero is better) and ``relative_reduction_to_baseline``, each
        with ``_low`` and ``_high``, and ``seeds_better_than_baseline``; ``hard_arm``, ``difference_to_hard`` and
        ``relative_reduction_to_hard``, with their ends. These resample the test alone; ``<name>_both`` has the ends
        over clusters and seeds at once (``joined_interval``), of two seeds or more. Those of ``DIAGNOSTICS`` that are
        defined, ``active_fraction_<constraint>`` (of the last epoch, whichever dev chose); ``seeds`` (how many),
        ``seed_list``,
        ``train_seconds_mean``. What a row has not is NaN; a column that no row has is not there. ``no_interval`` says
        why ends of a row are NaN where the data cannot bear an interval; then nothing is shown to be better or worse.
    """
    rows = []
    for (name, projection), result in results.items():
        baseline = _baseline(results, contrasts.baseline, projection)
        row = _about(name, projection, arms) | _error(result, kind, contrasts.level)
        if result is not baseline:
            row |= _against("baseline", baseline, result, kind, contrasts.level)
            paired = [each.error(kind)[0] for each in common_seeds(baseline, result)]
            row["seeds_better_than_baseline"] = int((paired[1] < paired[0]).sum())
        counterpart = contrasts.hard_of.get(name, "")
        hard = _counterpart(results, counterpart, arms, projection, arms.get(name).projection)
        if hard is not None:
            row["hard_arm"] = counterpart
            row |= _against("hard", hard, result, kind, contrasts.level)
        rows.append(row | _diagnostics(result))
    return warned(pd.DataFrame(rows))


def warned(table: pd.DataFrame) -> pd.DataFrame:
    """A study's table; a line is logged for each reason for which rows of it have no interval.

    Args:
        table: with the column ``no_interval`` where a row has none.

    Returns:
        The same table.
    """
    for reason in table.get(NO_INTERVAL, pd.Series(dtype=object)).dropna().unique():
        logger.warning("no interval, and so no verdict: %s", reason)
    return table


def _baseline(results: Mapping[Key, ArmResult], name: str, projection: str) -> ArmResult:
    there = {kind: result for (arm, kind), result in results.items() if arm == name}
    return there.get(projection, next(iter(there.values())))


def _counterpart(
    results: Mapping[Key, ArmResult], counterpart: str, arms: ArmsConfig, projection: str, own: str
) -> ArmResult | None:
    same = results.get((counterpart, projection))
    if counterpart and projection == own:
        return results.get((counterpart, arms.get(counterpart).projection), same)
    return same


def _about(name: str, projection: str, arms: ArmsConfig) -> dict[str, object]:
    arm = arms.get(name)
    return {"arm": name, "title": arm.title or name, "projection": projection if arm.constraints else "no teacher"}


def _error(result: ArmResult, kind: TaskKind, level: float) -> dict[str, object]:
    """The task's error over the seeds; its interval is of their mean."""
    errors, resampled = result.error(kind)
    return {
        "error_metric": kind.error_metric,
        "error_mean": errors.mean(),
        "error_sd_over_seeds": errors.std(ddof=1) if len(errors) > 1 else np.nan,
        **_columns("error", percentile_interval(errors, resampled, level, result.evidence(kind.metric)), value=False),
    }


def _diagnostics(result: ArmResult) -> dict[str, object]:
    """Means over the seeds of what explains the error, and how the arm was trained."""
    row: dict[str, object] = {
        column: result.values(metric).mean() for metric, column in DIAGNOSTICS.items() if result.has(metric)
    }
    for key in [key for key in result.outcomes[0].metrics if key.endswith("_active")]:
        shares = [outcome.metrics[key] for outcome in result.outcomes]
        row[f"active_fraction_{key.removesuffix('_active')}"] = np.mean(shares)
    row["seeds"] = len(result.seeds())
    row["seed_list"] = " ".join(map(str, result.seeds()))
    row["train_seconds_mean"] = np.mean([outcome.metrics["train_seconds"] for outcome in result.outcomes])
    return row


def common_seeds(first: ArmResult, second: ArmResult) -> tuple[ArmResult, ArmResult]:
    """Two results at the seeds that both have, in the order of the first.

    Args:
        first: of one arm.
        second: of the other.

    Returns:
        Both, with these seeds alone.

    Raises:
        ValueError: there is no such seed.
    """
    shared = [seed for seed in first.seeds() if seed in second.seeds()]
    if not shared:
        raise ValueError(f"the arms to be compared share no seed: trained with {first.seeds()} and {second.seeds()}")
    return first.of_seeds(shared), second.of_seeds(shared)


def _against(what: str, other: ArmResult, result: ArmResult, kind: TaskKind, level: float) -> dict[str, object]:
    other, result = common_seeds(other, result)
    (before, before_resampled), (after, after_resampled) = other.error(kind), result.error(kind)
    given = (before, after, before_resampled, after_resampled, level)
    evidence = weakest([each.evidence(kind.metric) for each in (other, result)])
    of_seeds = {
        f"difference_to_{what}": after - before,
        f"relative_reduction_to_{what}": np.divide(
            before - after, before, out=np.full_like(before, np.nan), where=before > 0
        ),
    }
    found: dict[str, object] = {}
    for (name, values), measure in zip(of_seeds.items(), (paired_difference, relative_reduction), strict=True):
        clusters = measure(*given, evidence)
        found |= _columns(name, clusters)
        if len(values) > 1:
            both = _columns(f"{name}_both", joined_interval(clusters, mean_interval(values, level, evidence)))
            found |= {key: value for key, value in both.items() if key != NO_INTERVAL}
    return found


def _columns(name: str, interval: Interval, value: bool = True) -> dict[str, object]:
    ends = {f"{name}_low": interval.low, f"{name}_high": interval.high}
    found: dict[str, object] = {end: np.nan if at is None else at for end, at in ends.items()}
    why = {NO_INTERVAL: interval.reason} if interval.reason else {}
    return ({name: interval.value} if value else {}) | found | why
