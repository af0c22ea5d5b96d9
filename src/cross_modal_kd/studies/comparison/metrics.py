"""Every metric of every arm with its interval, and its paired difference to the baseline."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import joined_interval, mean_interval, paired_difference, percentile_interval, weakest
from cross_modal_kd.studies.table import ArmResult, Key, common_seeds
from cross_modal_kd.studies.unseen import UNSEEN, interval_columns, names_in

SHOWN = ("core", "matching", *UNSEEN)


def metrics_table(results: Mapping[Key, ArmResult], baseline: str, level: float) -> pd.DataFrame:
    """A row an arm, projection and metric of the test split; shares, not percent.

    Args:
        results: by (arm, projection); the baseline is among them. One that was trained with several projections is
            taken with the row's own, the first where it was not trained with that.
        baseline: the arm that all others are set against.
        level: of the intervals, in (0, 1).

    Returns:
        ``arm``, ``projection``, ``metric``; ``value``, the mean over the seeds, and ``difference``, arm less baseline,
        paired in seeds, resamples and trials, each with ``_low`` and ``_high``, and of two seeds or more
        ``difference_both`` with those over seeds too (``joined_interval``). NaN where there is none; ``no_interval``
        then says why. ``chance``: of the metric, NaN where it has none.
    """
    baselines = {projection: result for (name, projection), result in results.items() if name == baseline}
    rows = []
    for (arm, projection), result in results.items():
        other = baselines.get(projection, next(iter(baselines.values())))
        for name in names_in(SHOWN, result):
            row: dict[str, object] = {"arm": arm, "projection": projection, "metric": name}
            given = result.values(name), result.resampled(name)
            row |= interval_columns("value", percentile_interval(*given, level, result.evidence(name)))
            row["chance"] = result.metrics[0].chance.get(name, np.nan)
            if result is not other and other.has(name):
                row |= _difference(other, result, name, level)
            rows.append(row)
    columns = [
        "arm",
        "projection",
        "metric",
        *(f"{part}{end}" for part in ("value", "difference") for end in ENDS),
        "chance",
    ]
    found = pd.DataFrame(rows)
    return found.reindex(columns=[*columns, *(column for column in found if column not in columns)])


ENDS = ("", "_low", "_high")


def _difference(baseline: ArmResult, result: ArmResult, name: str, level: float) -> dict[str, object]:
    before, after = common_seeds(baseline, result)
    evidence = weakest([each.evidence(name) for each in (before, after)])
    values = (before.values(name), after.values(name))
    clusters = paired_difference(*values, before.resampled(name), after.resampled(name), level, evidence)
    found = interval_columns("difference", clusters)
    if len(values[0]) < 2:
        return found
    both = joined_interval(clusters, mean_interval(values[1] - values[0], level, evidence))
    return {**interval_columns("difference_both", replace(both, reason="")), **found}
