"""How well a student knows classes that its training has not seen: named by words, or shown by a few samples."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.evaluation import SEEN, legend_of
from cross_modal_kd.metrics import Interval, percentile_interval
from cross_modal_kd.studies.table import NO_INTERVAL, ArmResult, Key

UNSEEN = ("named", "shown")


def unseen_columns(results: Mapping[Key, ArmResult], level: float) -> pd.DataFrame:
    """A row an arm and projection, in the order of the results: how well classes that training has not seen are known.

    Args:
        results: by (arm, projection).
        level: of the intervals, in (0, 1).

    Returns:
        ``<metric>``, the mean over the seeds, with ``_low``, ``_high`` and ``_chance``, of every metric whose legend is
        in one of the sections ``UNSEEN``; shares. Without columns where no such metric is defined.
    """
    rows = []
    for result in results.values():
        row: dict[str, object] = {}
        for name in names_in(UNSEEN, result):
            given = result.values(name), result.resampled(name)
            row |= interval_columns(name, percentile_interval(*given, level, result.evidence(name)))
            row[f"{name}_chance"] = result.metrics[0].chance.get(name, np.nan)
        rows.append({name: value for name, value in row.items() if name != NO_INTERVAL})
    return pd.DataFrame(rows, index=range(len(rows)))


def names_in(sections: Sequence[str], result: ArmResult) -> list[str]:
    """Metrics of the test split that the legends put into given sections, of those that are defined.

    Args:
        sections: of the legends.
        result: of an arm.

    Returns:
        Their names, in the order of the result.
    """
    return [
        name
        for name in result.metrics[0].metrics
        if not name.endswith(SEEN) and legend_of(name).section in sections and result.has(name)
    ]


def interval_columns(name: str, interval: Interval) -> dict[str, object]:
    """An interval as columns of a row.

    Args:
        name: of the value.
        interval: with its ends, or with the reason why it has none.

    Returns:
        ``<name>``, ``<name>_low`` and ``<name>_high``, NaN where there is no end; and the reason, where there is one.
    """
    columns: dict[str, object] = {name: interval.value}
    columns |= {
        f"{name}_{end}": np.nan if at is None else at for end, at in (("low", interval.low), ("high", interval.high))
    }
    return columns | ({NO_INTERVAL: interval.reason} if interval.reason else {})
