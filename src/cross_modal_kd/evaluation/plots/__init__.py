"""The plots of the report: data in, a matplotlib figure out."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cross_modal_kd.evaluation.plots.matching import matching_figure
from cross_modal_kd.evaluation.plots.summary import summary_figure
from cross_modal_kd.evaluation.plots.training import training_figure
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.plotting.style import remark
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.tasks.classification.plots import class_figure, reliability_figure
from cross_modal_kd.tasks.verification.plots import det_figure, scored_trials, scores_figure


def draw(
    protocol: Protocol,
    metrics: dict,
    *,
    students: Mapping[str, ModelBundle],
    embeddings: Mapping[str, EmbeddingTable],
    histories: Mapping[str, pd.DataFrame],
) -> dict[str, Figure]:
    """The five plots of the report by name: operating, scores, training, matching, summary."""
    operating, scores = _of_kind(protocol, students, embeddings)
    drawn = {
        "operating": operating,
        "scores": scores,
        "training": training_figure(histories),
        "matching": matching_figure(metrics),
        "summary": summary_figure(metrics),
    }
    task = protocol.task
    if task.chimeric:
        for figure in drawn.values():
            remark(figure, f"Chimeric pairs: {task.teacher} and {task.student} never belonged together.")
    return drawn


def _of_kind(
    protocol: Protocol, students: Mapping[str, ModelBundle], embeddings: Mapping[str, EmbeddingTable]
) -> tuple[Figure, Figure]:
    rows = protocol.test.rows
    if protocol.task.kind == "classification":
        return reliability_figure(rows, students, embeddings), class_figure(rows, students, embeddings)
    scored = scored_trials(rows, protocol.trials, embeddings)
    teacher = protocol.teacher
    return det_figure(scored, teacher.scores()[:2] if teacher.has_trials else None), scores_figure(scored)


__all__ = ["draw"]
