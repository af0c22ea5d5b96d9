"""Metrics with their resamples, and two arms set against each other."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.evaluation.legend import legend_of
from cross_modal_kd.metrics import (
    Interval,
    Metric,
    MetricSet,
    paired_difference,
    percentile_interval,
    relative_reduction,
    weakest,
)

NO_ERROR = "the student alone makes no error that could be reduced"


def intervals(measured: MetricSet, level: float) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Every metric with its interval, and what is not defined.

    Args:
        measured: of one student or of the teacher, with R resamples of each metric.
        level: share of the resamples inside, in (0, 1).

    Returns:
        {name: {value, low, high}} in the metric's own unit, and {name: reason} of what is not defined. Where the data
        cannot bear an interval, low and high are None and a ``reason`` says what is missing.
    """
    found, undefined = {}, dict(measured.undefined)
    for name, metric in measured.metrics.items():
        if math.isfinite(metric.value):
            found[name] = _plain(percentile_interval(metric.value, metric.resampled, level, metric.evidence))
        else:
            undefined[name] = "no number comes out of it"
    return found, undefined


def compare_metrics(alone: MetricSet, distilled: MetricSet, level: float) -> dict[str, dict]:
    """Both arms, ``difference`` = distilled - alone in the same resamples, and ``relative_reduction`` of their errors.

    An error that falls from 8 % to 6 % is reduced by 0.25. Of an accuracy, 1 - accuracy is the error.

    Args:
        alone: of the student alone.
        distilled: of the distilled student, in the same resamples.
        level: share of the resamples inside an interval, in (0, 1).

    Returns:
        ``student_alone``, ``distilled``, ``difference`` and ``relative_reduction``, each as ``intervals`` has them, of
        the metrics that both have (the last of error rates and accuracies only); ``chance``: {name: value};
        ``undefined``: {name: reason}.
    """
    before, missing_before = intervals(alone, level)
    after, missing_after = intervals(distilled, level)
    shared = [name for name in before if name in after]
    undefined = missing_before | missing_after
    difference, reduction = {}, {}
    for name in shared:
        first, second = alone.metrics[name], distilled.metrics[name]
        evidence = weakest([first.evidence, second.evidence])
        difference[name] = _plain(
            paired_difference(first.value, second.value, first.resampled, second.resampled, level, evidence)
        )
        known = legend_of(name)
        if not known.reducible:
            continue
        one, other = (_error(metric, known.better) for metric in (first, second))
        if not one.value > 0:
            undefined[f"relative_reduction.{name}"] = NO_ERROR
            continue
        reduction[name] = _plain(
            relative_reduction(one.value, other.value, one.resampled, other.resampled, level, evidence)
        )
    return {
        "student_alone": {name: before[name] for name in shared},
        "distilled": {name: after[name] for name in shared},
        "difference": difference,
        "relative_reduction": reduction,
        "chance": {name: value for name, value in distilled.chance.items() if name in shared},
        "undefined": undefined,
    }


def resample_table(measured: Mapping[str, MetricSet]) -> pd.DataFrame:
    """The resamples of every metric, with which another run on the same test set can be set against this one.

    Args:
        measured: metrics of each student, by arm.

    Returns:
        (R, M): a row a resample, a column ``<arm>.<metric>`` each; metrics with another number of resamples are left
        out. NaN where a metric is not defined in a resample.
    """
    columns = {
        f"{arm}.{name}": found.resampled for arm, each in measured.items() for name, found in each.metrics.items()
    }
    rows = max((len(values) for values in columns.values()), default=0)
    return pd.DataFrame({name: values for name, values in columns.items() if np.shape(values) == (rows,)})


def _error(metric: Metric, better: str | None) -> Metric:
    return metric if better == "lower" else Metric(1 - metric.value, 1 - metric.resampled)


def _plain(interval: Interval) -> dict[str, Any]:
    """For JSON: null ends and the reason where there is no interval."""
    ends = {"value": interval.value, "low": interval.low, "high": interval.high}
    return ends | ({"reason": interval.reason} if interval.reason else {})
