"""What MLflow lists first of a study and of each of its trainings: the metric that the task is about.

It has the name that the runs of ``distill`` give it, ``headline/<metric>``, so that all of them share a column; of a
study, with several arms, the arm's name stands behind it. The ends of intervals are below ``interval/``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import MetricSet, percentile_interval
from cross_modal_kd.storage import write_whole
from cross_modal_kd.tasks import TaskKind
from cross_modal_kd.tracking import TrackedRun, as_metrics, current_run

HEADLINE, METRICS = "headline", "metrics"
NOT_MEASURED = "mlflow_run.json"  # beside a student whose run in MLflow has no headline yet
TOLD_BY = ("study", "condition", "kind", "level")


def remember_run(folder: Path, run: TrackedRun) -> None:
    """Note the run of a training, so that its headline goes there when it is measured.

    Args:
        folder: of the training.
        run: of it.
    """
    write_whole(folder / NOT_MEASURED, json.dumps({"tracking_uri": run.tracking_uri, "run_id": run.run_id}))


def log_student(folder: Path, found: MetricSet, kind: TaskKind, level: float) -> None:
    """The headline of one training, with its interval, in its own run; once, and not where there is no such run.

    Args:
        folder: of the training.
        found: metrics of its student.
        kind: of the task.
        level: of the interval.
    """
    run, note = current_run(), folder / NOT_MEASURED
    if run is None or not note.is_file() or kind.metric not in found.metrics:
        return
    known = _read(note)
    note.unlink(missing_ok=True)
    if known.get("tracking_uri") == run.tracking_uri:
        metric = found.metrics[kind.metric]
        interval = percentile_interval(metric.value, metric.resampled, level, metric.evidence)
        own = TrackedRun(str(known.get("run_id")), run.tracking_uri, run.outbox)
        ends = {"value": interval.value, "low": interval.low, "high": interval.high}
        own.metrics(as_metrics({kind.metric: ends}, f"{HEADLINE}/"))


def log_arms(table: pd.DataFrame, kind: TaskKind) -> None:
    """The headline of every arm of a study, and its difference to the baseline, in the study's run.

    Args:
        table: a row an arm (and condition), with ``error`` or ``error_mean`` and ``difference_to_baseline`` or
            ``difference_to_alone``, and the ends of their intervals. Errors of samples that a study damages
            (``severity`` above 0) go below ``metrics/``.
        kind: of the task; its metric is logged. Where that counts what is right, ``as_errors`` is its own inverse.
    """
    several = table.groupby("arm")["projection"].nunique().max() > 1
    for row in table.to_dict("records"):
        told_by = TOLD_BY if row.get("severity", True) else ()
        names = [row["arm"], row["projection"] if several else None, *(row.get(name) for name in told_by)]
        label = ".".join(str(name) for name in names if name not in (None, "") and not pd.isna(name))
        values = _of_metric(row, ("error_mean", "error"), "error", kind)
        differences = ("difference_to_baseline", "difference_to_alone")
        against = [_of_metric(row, (name,), name, kind, change=True) for name in differences if name in row]
        found = {f"{kind.metric}.{label}": values, f"{kind.metric}_difference.{label}": against[0] if against else {}}
        log_values(found, METRICS if row.get("severity") else HEADLINE)


def log_values(values: Mapping[str, Any], folder: str = HEADLINE) -> None:
    """Numbers by name, in the study's run; nothing where none is open.

    Args:
        values: numbers, or {value, low, high} of an interval.
        folder: that their names begin with.
    """
    run = current_run()
    if run is not None:
        run.metrics(as_metrics(values, f"{folder}/"))


def _of_metric(
    row: Mapping[Any, Any], columns: tuple[str, ...], ends: str, kind: TaskKind, *, change: bool = False
) -> dict[str, float]:
    """A column of errors as the metric of the kind, which may count what is right: then its ends change places."""
    value = next(row[name] for name in columns if name in row)
    found = kind.as_errors(np.array([value, row[f"{ends}_low"], row[f"{ends}_high"], 0.0, 1.0], dtype=float))
    value, low, high = (found[:3] - found[3] if change else found[:3]).tolist()
    turned = found[4] < found[3]
    return {"value": value, "low": high, "high": low} if turned else {"value": value, "low": low, "high": high}


def _read(note: Path) -> dict[str, Any]:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}
