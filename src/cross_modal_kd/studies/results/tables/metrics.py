"""The tables of metrics.json: both students, metric by metric."""

from cross_modal_kd.evaluation import legend_of, tested_on
from cross_modal_kd.studies.results.numbers import NOTHING, in_percent, number, with_interval
from cross_modal_kd.studies.results.tables.table import Table


def metrics_tables(metrics: dict) -> list[Table]:
    """Both students, metric by metric.

    Args:
        metrics: what metrics.json holds: ``student_alone``, ``distilled``, ``difference`` and ``relative_reduction``,
            each {metric: {value, low, high}}, ``chance`` {metric: value}, and ``arms`` with their titles.

    Returns:
        One table, a row a metric of ``difference``.
    """
    return [_students(list(metrics["difference"]), metrics)]


def metrics_headline(metrics: dict) -> Table:
    """The metrics of the task itself.

    Args:
        metrics: what metrics.json holds, see ``metrics_tables``.

    Returns:
        A row a metric that the legends call ``core``.
    """
    return _students([name for name in metrics["difference"] if legend_of(name).section == "core"], metrics)


def _students(names: list[str], metrics: dict) -> Table:
    rows = [_metric(name, metrics) for name in names]
    arms = [metrics["arms"][arm].get("title") or arm for arm in ("student_alone", "distilled")]
    header = ["metric", *arms, "difference", "relative error reduction, %", "chance"]
    return Table(f"Both students on {tested_on(metrics)}", header, rows)


def _metric(name: str, metrics: dict) -> list[str]:
    def of(part: str, metric: str) -> str:
        found = metrics[part].get(name)
        return NOTHING if found is None else with_interval(metric, found["value"], found["low"], found["high"])

    known = legend_of(name)
    title = known.title + (", %" if in_percent(name) else "")
    chance = number(name, metrics["chance"].get(name))
    cells = [of(part, name) for part in ("student_alone", "distilled", "difference")]
    return [title, *cells, of("relative_reduction", "relative_reduction"), chance]
