"""The plots of the report: data in, a matplotlib Figure out."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cross_modal_kd.evaluation.plots.matching import matching_plot
from cross_modal_kd.evaluation.plots.summary import summary_plot
from cross_modal_kd.evaluation.plots.training import training_plot
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.evaluation.summary import alone_name
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.plotting import ARMS, remark, rename
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of


def draw(
    protocol: Protocol,
    metrics: dict,
    *,
    students: Mapping[str, ModelBundle],
    embeddings: Mapping[str, EmbeddingTable],
    histories: Mapping[str, pd.DataFrame],
) -> dict[str, Figure]:
    """The five plots of the report.

    Args:
        protocol: what both students were measured on.
        metrics: the content of metrics.json.
        students: by arm, ``student_alone`` and ``distilled``.
        embeddings: by arm, of the test samples at least.
        histories: by arm, of the training, a row an epoch.

    Returns:
        Figures by name: operating, scores, training, matching, summary; those of a chimeric task carry a line that says
        so.
    """
    on_test = protocol.on_test(students, embeddings)
    operating, scores = kind_of(protocol.task).plots(on_test, protocol.teacher, protocol.evaluation)
    drawn = {
        "operating": operating,
        "scores": scores,
        "training": training_plot(histories),
        "matching": matching_plot(metrics),
        "summary": summary_plot(metrics),
    }
    if (name := alone_name(metrics)) != ARMS["student_alone"][0]:
        for plot in drawn.values():
            rename(plot, ARMS["student_alone"][0], name)
    task = protocol.task
    if task.chimeric:
        for plot in drawn.values():
            remark(plot, f"Chimeric pairs: {task.teacher} and {task.student} never belonged together.")
    return drawn


__all__ = ["draw"]
