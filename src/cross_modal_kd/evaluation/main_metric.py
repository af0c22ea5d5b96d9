"""The metric that a run is about, as MLflow lists it first."""

from cross_modal_kd.tasks import kind_named


def headline(metrics: dict) -> dict[str, float]:
    """The kind's metric of the distilled student, of the student alone, and their difference.

    Args:
        metrics: the content of metrics.json.

    Returns:
        Three values by name: that of the metric (``eer``), with ``_alone`` and with ``_difference``; none where the
        metric is not defined.
    """
    name = kind_named(metrics["task"]["kind"]).metric
    parts = {name: "distilled", f"{name}_alone": "student_alone", f"{name}_difference": "difference"}
    return {title: metrics[part][name]["value"] for title, part in parts.items() if name in metrics[part]}
